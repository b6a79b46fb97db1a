'use strict';

const test = require('tape');
const { started } = require('./support');
const libraries = require('./libraries');

for (const { name, code, want, marks } of libraries) {
  test(`${name} is let in`, async (t) => {
    for (const kind of ['check', 'run']) {
      const runner = await started();
      runner.load(code);
      const { answer } = await runner.call({ kind });
      t.equal(answer.type, 'result', answer.text);
      if (kind === 'run') t.deepEqual(answer.body, want);
      if (marks && kind === 'run') t.equal(answer.reusable, false, 'is not used again');
      await runner.close();
    }
    t.end();
  });
}

test('what a later call leaves on a built-in function ends its worker, too', async (t) => {
  const runner = await started();
  runner.load("function main(req, res) { if (req.body.mark) Object.keys.mark = 1; res.send('done'); }");
  for (let i = 0; i < 12; i++) t.ok((await runner.call()).answer.reusable);
  const { answer } = await runner.call({ body: { mark: true } });
  t.deepEqual([answer.body, answer.reusable], ['done', false]);
  await runner.close();
  t.end();
});
