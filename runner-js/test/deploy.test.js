'use strict';

// What a deploy is told of code that would fail every call.

const test = require('tape');
const { inTurn } = require('./support');

const outcome = inTurn(test);

const node = parseInt(process.versions.node, 10);

test('code that does not compile says where: file, line, column and what stands there', async (t) => {
  for (const [code, place] of [
    ['const a = 1;\nlet b = ;\nfunction main(req, res) {}', 'at ns/id.js:2:9: let b = ;'],
    ['\n\n  const x = "a" + ;', 'at ns/id.js:3:19: const x = "a" + ;'],
    ['let a; let a;', 'at ns/id.js:1:12: let a; let a;'],
    ['with ({}) {}', 'at ns/id.js:1:1: with ({}) {}'],
    ['function main(req, res) {\n  res.send(1)\n', 'at ns/id.js:3:1: the code ends too early'],
    ['function main( {', 'at ns/id.js:1:17: the code ends too early'],
    [`${'x'.repeat(500)} = ; ${'y'.repeat(500)}`, `at ns/id.js:1:504: ${'x'.repeat(57)} = ; ${'y'.repeat(58)}`],
    [`\n${'x'.repeat(5000)} = ; ${'y'.repeat(5000)}`, `at ns/id.js:2:5004: ${'x'.repeat(57)} = ; ${'y'.repeat(58)}`],
  ]) {
    for (const kind of ['check', 'run']) {
      const { answer } = await outcome(code, { kind });
      t.ok(answer.text.startsWith('SyntaxError: ') && answer.text.endsWith(` ${place}`), `${kind}: ${answer.text}`);
      t.deepEqual([answer.frames, answer.stack, `SyntaxError: ${answer.message}`], ['', answer.text, answer.text]);
    }
  }
});

test('code that is newer than its Node.js says what it needs', { skip: node >= 10 }, async (t) => {
  for (const [code, needs] of [
    ['const a = {};\na?.b', 'at ns/id.js:2:3: a?.b (optional chaining needs Node.js 14 or later'],
    ['const a = 1 ?? 2;', 'const a = 1 ?? 2; (the operator ?? needs Node.js 14 or later'],
    ['let a; a ??= 2;', '(logical assignment needs Node.js 16 or later'],
    ['const a = 10n;', '(BigInt needs Node.js 14 or later'],
    ['const a = 1_000;', '(a separator in a number needs Node.js 16 or later'],
    ['class A { a = 1 }', '(a field of a class needs Node.js 18 or later'],
    ['class A { #a; }', '(a private member needs Node.js 18 or later'],
    ['class A { static { } }', '(a static block needs Node.js 18 or later'],
    ['try {} catch { }', '(catch without a parameter needs Node.js 10 or later'],
    ['async function f() { for await (const x of y) {} }', '(for await needs Node.js 10 or later'],
    ['async function* f() { yield 1 }', '(an asynchronous generator needs Node.js 10 or later'],
    ['const a = /[a--b]/v', '(JavaScript of 2024 needs Node.js 20 or later'],
    ['import a from "a"; a?.b', '(ES modules need Node.js 18 or later'],
  ]) {
    const { text } = (await outcome(code, { kind: 'check' })).answer;
    const files = /BigInt|JavaScript of|ES modules/.test(needs) ? '' : ', or deploy it as "files"';
    t.ok(text.endsWith(`${needs}: choose one with "runtime"${files})`), text);
  }
});

test('code in another language says which', async (t) => {
  for (const [code, language] of [
    ['function main(req: Request, res) {}', 'TypeScript'], ['const a: string = "";', 'TypeScript'],
    ['interface A { a: string }', 'TypeScript'], ['type A = string', 'TypeScript'], ['enum A { B }', 'TypeScript'],
    ['const a = 1 as any', 'TypeScript'], ['class A { private a }', 'TypeScript'], ['let a!: number', 'TypeScript'],
    ['const a = <div>a</div>', 'JSX'], ['function main() { return <App a="1"/> }', 'JSX'],
    ['const a = {b: 1, c: };', ''], ['if (a < b > c: 1', ''], ['const a = [1, 2', ''], ['let b = <;', ''],
  ]) {
    const { text } = (await outcome(code, { kind: 'check' })).answer;
    t.equal(text.includes(`(this is ${language}`), language !== '', text);
    t.equal(text.includes('('), language !== '' || code.includes('('), text);
  }
});

test('no hint is looked for in code that would take long to parse', async (t) => {
  const { text } = (await outcome(`${' '.repeat(300 * 1024)}\ntype A = string`, { kind: 'check' })).answer;
  t.ok(/^SyntaxError: .* at ns\/id\.js:2:6: type A = string$/.test(text), text);
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
