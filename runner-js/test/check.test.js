'use strict';

// compile.js says of code whether it compiles, and runs nothing of it.

const { execFileSync } = require('child_process');
const path = require('path');
const test = require('tape');

const SCRIPT = path.join(__dirname, '..', 'compile.js');

function ask(questions) {
  const input = questions.map(question => `${JSON.stringify(question)}\n`).join('');
  return execFileSync(process.execPath, [SCRIPT], { input, encoding: 'utf8' }).trim().split('\n').map(JSON.parse);
}

function compile(code) {
  return { filename: 'ns/id.js', code, stored: code };
}

test('code is compiled and not run', (t) => {
  t.deepEqual(ask([
    compile('function main() {}'),
    compile('const main = () => 1'),
    compile('function main() {} // the end'),
    compile('function main() {} /* the end */'),
    compile('console.log("ran"); process.exit(1);'),
  ]), [
    { fault: '', behind: '' },
    { fault: '', behind: 'refused' },
    { fault: '', behind: 'lost' },
    { fault: '', behind: '' },
    { fault: '', behind: '' },
  ]);
  t.end();
});

test('a fault tells its place', (t) => {
  const [{ fault, behind }] = ask([compile('let a;\nlet a;')]);
  t.ok(/^SyntaxError: .* at ns\/id\.js:2:5: let a;$/.test(fault), fault);
  t.equal(behind, '');
  t.end();
});

test('modules are looked for', (t) => {
  t.deepEqual(ask([{ module: 'lodash', paths: [] }, { module: 'zlib', paths: [] }, { module: 'none-of-that-name', paths: [] }]), [
    { fault: '' }, { fault: '' }, { fault: "Cannot find module 'none-of-that-name'" },
  ]);
  t.end();
});
