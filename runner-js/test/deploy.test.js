'use strict';

// What a deploy is told of code that would fail every call.

const test = require('tape');
const { outcome } = require('./support');

test('code that does not compile says where: file, line, column and what stands there', async (t) => {
  for (const [code, place] of [
    ['const a = 1;\nlet b = ;\nfunction main(req, res) {}', 'at ns/id.js:2:9: let b = ;'],
    ['\n\n  const x = "a" + ;', 'at ns/id.js:3:19: const x = "a" + ;'],
    ['let a; let a;', 'at ns/id.js:1:12: let a; let a;'],
    ['with ({}) {}', 'at ns/id.js:1:1: with ({}) {}'],
    ['function main(req, res) {\n  res.send(1)\n', 'at ns/id.js:3:1: the code ends too early'],
    ['function main( {', 'at ns/id.js:1:17: the code ends too early'],
    [`${'x'.repeat(500)} = ; ${'y'.repeat(500)}`, parseInt(process.versions.node, 10) < 10 // which cuts off long lines
      ? `at ns/id.js:1: ${'x'.repeat(120)}` : `at ns/id.js:1:504: ${'x'.repeat(57)} = ; ${'y'.repeat(58)}`],
  ]) {
    for (const kind of ['check', 'run']) {
      const { answer } = await outcome(code, { kind });
      t.ok(answer.text.startsWith('SyntaxError: ') && answer.text.endsWith(` ${place}`), `${kind}: ${answer.text}`);
      t.deepEqual([answer.frames, answer.stack, `SyntaxError: ${answer.message}`], ['', answer.text, answer.text]);
    }
  }
});

test('one of the names that the server declares keeps its text, and has the place in its stack', async (t) => {
  const { answer } = await outcome('\nconst Backstage = 1;', { kind: 'check' });
  t.deepEqual([answer.text, answer.frames], ["SyntaxError: Identifier 'Backstage' has already been declared", 'at ns/id.js:2']);
});

test('code without a main is refused where that is sure', async (t) => {
  const advice = 'declare function main(req, res) at the top level of the code, or export a function';
  for (const [code, fault] of [
    ['function handler(req, res) { res.send(1) }', `There is no function main: ${advice}`],
    ['\n  const handler = async function (req, res) {}', `There is no function main: ${advice}`],
    ['async function handler() {}', `There is no function main: ${advice}`],
    ['let handler = res => res.send(1)', `There is no function main: ${advice}`],
    ['const handler = (req, res) => res.send(1)', `There is no function main: ${advice}`],
    ['module.exports = { handler: (req, res) => res.send(1) }', `There is no function main, and what the code exports is not called: ${advice}`],
    ['exports.Main = function (req, res) {}', `There is no function main, and what the code exports is not called: ${advice}`],
  ]) {
    const { answer } = await outcome(code, { kind: 'check' });
    t.deepEqual([answer.text, answer.stack, answer.frames], [`Error: ${fault}`, '', ''], code);
  }
});

test('code that may answer is let pass', async (t) => {
  for (const code of [
    'function main(req, res) {}', 'const main = () => {}', 'async function main() {}', 'exports.x = 1; function main() {}', 'const a = 1; // comment', '1',
    'let main; if (Backstage.request) main = (req, res) => res.send(1);', 'return; function f() {}', 'setTimeout(() => {}, 1)', 'const main = 5', '[1].map(x => x)', 'Backstage.modules.a = 1;',
  ]) {
    t.equal((await outcome(code, { kind: 'check' })).answer.type, 'result', code);
  }
});
