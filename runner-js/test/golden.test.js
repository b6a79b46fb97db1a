'use strict';

// The frames of sandbox/internal/wire/testdata: the runner reads what the host writes and writes what the host reads.

const test = require('tape');
const { Runner, started, inTurn, golden } = require('./support');

const answered = inTurn(test, { maxAnswer: 65536 });

// steady is a frame whose times, which differ from run to run, are those of the golden ones, and whose size is counted with that.
function steady(line) {
  const [load] = /"load":[\d.e-]+,/.exec(line) || [''];
  const grown = load === '' ? 0 : '"load":1.5,'.length - load.length;
  return line.replace(/"start":[\d.e-]+,"duration":[\d.e-]+/, '"start":0.5,"duration":2')
    .replace(load, load && '"load":1.5,').replace(/"size":(\d+)/, (_, size) => `"size":${Number(size) + grown}`);
}

test('the runner takes the frames of the host', async (t) => {
  let runner = null; // serves the next frame too, if it is reusable
  for (const { name, line, frame } of golden('host.jsonl').filter(({ refused }) => !refused)) {
    const got = JSON.parse(line);
    const { type } = got;
    delete got.type;
    if (frame.invoke) {
      t.equal(type, 'invoke', name);
      const { kind = 'run' } = frame.invoke;
      t.deepEqual(got, Object.assign({ kind }, frame.invoke), name);
      runner = runner || await started();
      runner.load(`function main(req, res) {
        const bytes = req.body === undefined && 'rawBody' in req ? req.rawBody.toString('base64') : undefined;
        const { env, secrets } = Backstage;
        res.send(Object.assign({ env, bytes }, Object.keys(secrets).length > 0 ? { secrets } : {}, req));
      }`);
      runner.send(line);
      const answer = await runner.frame();
      if (!answer.reusable || answer.late) {
        await runner.close();
        runner = null;
      }
      if (kind !== 'run') {
        t.equal(typeof answer.body, kind === 'compile' ? 'string' : 'undefined', `${name}: main is not called`);
        continue;
      }
      const seen = Object.assign({ env: {} }, frame.invoke);
      delete seen.id;
      delete seen.outgoing;
      delete seen.spans;
      delete seen.cut;
      delete seen.timeout;
      delete seen.queued;
      const { http, raw } = seen;
      delete seen.http;
      delete seen.raw;
      if (http) {
        const { path, url: originalUrl, ip, host: hostname, params } = http;
        Object.assign(seen, { path, originalUrl, ip, hostname, params });
      }
      const { bytes } = answer.body;
      delete answer.body.bytes;
      t.deepEqual(answer.body, seen, `${name}: what main sees`);
      t.equal(bytes, raw, 'and the bytes of its body');
    } else {
      t.deepEqual(got, frame[type], name);
    }
  }
  if (runner !== null) await runner.close();
});

test('the runner ends at a frame that it does not know', async (t) => {
  for (const { name, line } of golden('host.jsonl').filter(({ refused }) => refused)) {
    const runner = await started();
    runner.load('function main(req, res) { res.send(1) }');
    runner.send(line);
    const { code, stderr } = await runner.ended;
    t.equal(code, 70, name);
    t.ok(stderr.length > 0, 'and says why');
    t.deepEqual(runner.lines, [], 'on stderr alone');
  }
});

test('the runner writes the frames that the host reads', async (t) => {
  for (const row of golden('worker.jsonl').filter(({ code }) => code)) {
    const { name, code, line } = row;
    const { lines: written } = await answered(code, { spans: row.spans, http: row.http, queued: row.queued });
    const lines = written.map(steady);
    t.ok(lines.includes(line), `${name}${lines.includes(line) ? '' : `: ${lines.join(' ').slice(0, 500)}, want ${line}`}`);
  }
});

test('the runner says that it is ready, and which Node.js it is', async (t) => {
  const runner = new Runner();
  t.equal(await runner.line(), `{"type":"ready","pid":${runner.process.pid},"node":"${process.version}"}`);
  t.deepEqual(await runner.close(), { code: 0, signal: null, stderr: '' }, 'and ends with its host');
});
