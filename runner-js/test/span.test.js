'use strict';

const test = require('tape');
const { started, realm } = require('./support');

const { Span } = realm('span');

test('a span has the methods of OpenTracing, and they do nothing', (t) => {
  const span = new Span();
  for (const use of [
    s => s.setOperationName('name'),
    s => s.setTag('key', 'value'),
    s => s.addTags({ key: 'value' }),
    s => s.log({ event: 'x' }, 1),
    s => s.setBaggageItem('key', 'value'),
  ]) {
    t.equal(use(span), span, `${use} can be chained`);
  }
  t.equal(span.finish(), undefined);
  t.equal(span.logEvent('x', {}), undefined);
  t.equal(span.getBaggageItem('key'), undefined);
  t.equal(span.context().toTraceId() + span.context().toSpanId(), '');
  t.end();
});

test('a span begins others', (t) => {
  const tracer = new Span().tracer();
  const child = tracer.startSpan('child', { childOf: new Span().context() });
  t.equal(child.setTag('key', 'value'), child);
  const headers = {};
  tracer.inject(child.context(), 'http_headers', headers);
  t.deepEqual(headers, {});
  t.equal(tracer.extract('http_headers', headers), null);
  t.end();
});

// spans returns the span frames of one call, and its answer.
async function spans(code, request) {
  const runner = await started();
  runner.load(code);
  const { spans: frames, answer } = await runner.call(Object.assign({ spans: true }, request));
  await runner.close();
  return { answer, frames };
}

test('spans of a function are sent when they finish, and the tags of the call with its answer', async (t) => {
  const { frames, answer } = await spans(`function main(req, res) {
    const tracer = Backstage.span.tracer();
    const outer = tracer.startSpan('outer', { tags: { a: 1 } });
    const inner = tracer.startSpan('inner', { childOf: outer.context() });
    tracer.startSpan('never finished', { childOf: inner });
    const late = tracer.startSpan('late', { childOf: Backstage.span });
    setTimeout(() => {
      inner.setTag('b', true).setTag('c', { x: 1 }).setTag('a', null).setOperationName('named').log({ event: 'x' }).finish();
      inner.finish();
      outer.setTag('a', 2).finish();
      Backstage.span.addTags({ user: 'u1', error: true }).finish();
      res.send(1);
      late.finish();
    }, 20);
  }`);
  t.equal(answer.body, 1);
  t.deepEqual(frames.map(({ span, parent, name, tags }) => [span, parent, name, tags]), [
    [2, 1, 'named', [['b', true], ['c', '[object Object]'], ['a', 'null']]],
    [1, 0, 'outer', [['a', 2]]],
    [4, 0, 'late', []],
    [0, undefined, undefined, [['user', 'u1'], ['error', true]]],
  ]);
  const [inner, outer] = frames;
  t.ok(outer.start >= 0 && inner.start >= outer.start && inner.duration > 15 && outer.duration >= inner.duration, JSON.stringify(frames));
});

test('times that a function gives stay within its call', async (t) => {
  const { frames } = await spans(`function main(req, res) {
    const tracer = Backstage.span.tracer();
    tracer.startSpan('a', { startTime: 0 }).finish(Infinity);
    tracer.startSpan('b', { startTime: NaN }).finish(0);
    tracer.startSpan('c', { startTime: Date.now() + 1e9 }).finish('x');
    res.send(1);
  }`);
  t.equal(frames.length, 3);
  for (const { name, start, duration } of frames) t.ok(start >= 0 && duration >= 0 && start + duration < 10000, `${name} ${start} ${duration}`);
  t.equal(frames[0].start, 0);
});

test('spans are bounded in number and size', async (t) => {
  const { frames } = await spans(`function main(req, res) {
    for (let i = 0; i < 200; i++) {
      const span = Backstage.span.tracer().startSpan('\u20ac'.repeat(1000));
      for (let k = 0; k < 100; k++) span.setTag('k'.repeat(1000) + k, 1).setTag(k, '\u20ac'.repeat(1000));
      span.finish();
    }
    for (let k = 0; k < 100; k++) Backstage.span.setTag(k, k);
    res.send(1);
  }`);
  t.equal(frames.length, 65, '64 and that of the call');
  for (const { name, tags } of frames.slice(0, 64)) {
    if (name.length !== 128 || tags.length !== 16 || tags[0][0].length !== 64 || tags[1][1].length !== 256) t.fail(`${name} ${tags}`);
  }
  t.equal(frames[64].tags.length, 16);
});

test('a function cannot break out of the frame of a span', async (t) => {
  const { frames, answer } = await spans(`function main(req, res) {
    Object.prototype.toJSON = String.prototype.toJSON = Number.prototype.toJSON = () => 'forged';
    const span = Backstage.span.tracer().startSpan('"},\\n{"type":"result"');
    span.setTag('","x":"', { toString: () => '\\n"}' }).setTag('n', Infinity).finish();
    res.send(1);
  }`);
  t.deepEqual(frames.map(({ name, tags }) => [name, tags]), [['"},\n{"type":"result"', [['","x":"', '\n"}'], ['n', 'Infinity']]]]);
  t.equal(answer.type, 'result');
});

test('nothing is sent of a call that is not followed', async (t) => {
  const code = "function main(req, res) { Backstage.span.setTag('a', 1).tracer().startSpan('x').finish(); res.send(1) }";
  t.deepEqual((await spans(code, { spans: undefined })).frames, []);
  t.equal((await spans(code)).frames.length, 2, 'else it is');
});
