'use strict';

const test = require('tape');
const { realm } = require('./support');

const Span = realm('span');

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
