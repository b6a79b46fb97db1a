'use strict';

const test = require('tape');
const { outcome } = require('./support');
const ways = require('./ways');

for (const { name, code, want, logs } of ways) {
  test(name, async (t) => {
    const got = await outcome(code, {}, { modules: ways.MODULES });
    t.deepEqual(got.answer.type === 'result' ? got.answer.body : got.answer, want);
    t.equal(got.logs.length, logs.length, got.logs.join('|'));
    logs.forEach((line, i) => t.ok(line.test ? line.test(got.logs[i]) : line === got.logs[i], String(got.logs[i])));
    t.end();
  });
}

test('an error that is emitted decides the answer by its status', async (t) => {
  for (const when of ["emit()", "setTimeout(emit, 1)", "process(emit)"]) {
    const { answer } = await outcome(`function main(req, res) {
      const process = later => Promise.resolve().then(later);
      const emit = () => new (require('events'))().emit('error', new NotFound('gone'));
      ${when};
    }`, {}, { modules: ['events'] });
    t.deepEqual([answer.type, answer.status, answer.message], ['error', 404, 'gone'], when);
  }
  t.end();
});
