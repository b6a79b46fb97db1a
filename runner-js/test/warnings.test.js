'use strict';

// What Node.js prints by itself: it is the call's output and fails no call.

const test = require('tape');
const { started, outcome } = require('./support');

const OUTSIDE = "const outside = (text) => { let out; require('lodash').template('<% give(' + text + ') %>')({ give: (v) => { out = v } }); return out };";

test('a warning is a line of the call that causes it', async (t) => {
  const deprecated = ['of a function that is deprecated', "new Buffer('abc'); setTimeout(() => res.send(1), 1)", /^error \[DEP0005\] DeprecationWarning: /];
  for (const [name, code, want] of [
    ...(parseInt(process.versions.node, 10) < 10 ? [] : [deprecated]), // by then it says nothing
    ['of too many listeners', `const s = new (require('request').Request.super_)();
      for (let i = 0; i < 20; i++) s.on('x', () => {}); res.send(1)`, /^error MaxListenersExceededWarning: /],
    ['of a module', "outside('process').emitWarning('of mine', 'Mine', 'M1'); res.send(1)", /^error \[M1\] Mine: of mine$/],
    ['that is experimental', "outside('process').emitWarning('x', 'ExperimentalWarning'); res.send(1)", /^error ExperimentalWarning: x$/],
  ]) {
    const { answer, logs } = await outcome(`${OUTSIDE} function main(req, res) { ${code} }`, {}, { modules: ['lodash', 'request'] });
    t.deepEqual([answer.type, answer.body, logs.length], ['result', 1, 1], `${name}: ${JSON.stringify(logs)}`);
    t.ok(want.test(logs[0]), logs[0]);
  }
});

test('a warning comes once in a call, and in each', async (t) => {
  const runner = await started({ modules: ['lodash'] });
  runner.load(`${OUTSIDE} function main(req, res) { for (let i = 0; i < 40; i++) outside('process').emitWarning('number ' + i % req.body); res.send(1) }`);
  for (const [different, lines] of [[1, 1], [1, 1], [3, 3], [40, 16]]) {
    const { logs, answer } = await runner.call({ body: different });
    t.deepEqual([logs.length, answer.reusable], [lines, true], `${different} warnings`);
  }
  await runner.close();
});

test('a warning is bounded, and one that is none is passed over', async (t) => {
  const { logs, answer } = await outcome(`${OUTSIDE} const { emit } = outside('process');
    function main(req, res) {
      const process = outside('process');
      for (const w of [null, undefined, 1, {}, { get name() { throw 1 } }, { name: 'a', message: 'x\\ny' }, { name: 'b', message: 'x'.repeat(1e6) }, { name: Symbol() }]) {
        process.emit('warning', w);
      }
      res.send(1);
    }`, {}, { modules: ['lodash'] });
  t.equal(answer.body, 1);
  t.ok(logs.includes('error a: x') && logs.includes('error y'), 'each line by itself');
  t.ok(logs.every(line => line.length < 5000), 'bounded');
});

test('what modules write to the standard streams does not get into the frames', async (t) => {
  const { answer, logs, lines } = await outcome(`${OUTSIDE} function main(req, res) {
    const { stdout, stderr } = outside('process');
    for (let i = 0; i < 100; i++) { stdout.write('x'.repeat(5000)); stderr.write(Buffer.from('y')); stdout.write(7) }
    res.send(typeof stdout.on);
  }`, {}, { modules: ['lodash'], maxLogs: 20000 });
  t.equal(answer.body, 'function');
  t.deepEqual(lines.map(line => JSON.parse(line).type), ['log', 'log', 'log', 'log', 'log', 'result'].slice(6 - lines.length));
  t.equal(logs.pop(), 'info [output truncated]');
});
