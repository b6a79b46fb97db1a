'use strict';

// compile.js says of code whether it compiles, and runs nothing of it. loadmodules.js loads modules.

const { execFileSync } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const test = require('tape');
const { ROOT, FLAGS } = require('./support');

const SCRIPT = path.join(__dirname, '..', 'compile.js');

function ask(questions) {
  const input = questions.map(question => `${JSON.stringify(question)}\n`).join('');
  return execFileSync(process.execPath, [SCRIPT], { input, encoding: 'utf8' }).trim().split('\n').map(JSON.parse);
}

const NODE = parseInt(process.versions.node, 10);

const compile = code => ({ filename: 'ns/id.js', code });
const behind = stored => ({ filename: 'ns/id.js', stored });

test('code is compiled and not run', (t) => {
  t.deepEqual(ask([
    'function main() {}', 'const main = () => 1', 'function main() {} // the end', 'console.log("ran"); process.exit(1);',
  ].map(compile)), [{ fault: '' }, { fault: '' }, { fault: '' }, { fault: '' }]);
  t.end();
});

test('a fault tells its place', (t) => {
  const [{ fault }] = ask([compile('let a;\nlet a;')]);
  t.ok(/^SyntaxError: .* at ns\/id\.js:2:5: let a;$/.test(fault), fault);
  t.end();
});

test('modules compile where they run', (t) => {
  const [whole, broken] = ask([compile('import a from "b";\nexport default () => a'), compile('export const a = 1;\nawait a;')]);
  t.equal(whole.fault === '', NODE >= 18, whole.fault);
  t.ok(NODE < 18 || /^SyntaxError: await at the top level .* at ns\/id\.js:2:1$/.test(broken.fault), broken.fault);
  t.end();
});

test('what does not run on the original is told with its reason', (t) => {
  const newer = NODE < 14 ? 'syntax' : '';
  const rows = [
    ['function main() {}', ''],
    ['const main = () => 1', 'refused'],
    ['const main = () => 1\n', ''],
    ['const main = () => 1;', ''],
    ['function main() {} // the end', 'lost'],
    ['function main() {} /* the end */', ''],
    ['console.log("ran"); process.exit(1);', ''],
    ['export function main() {}', 'module'],
    ['import a from "a";\nfunction main() { a() }', 'module'],
    ['  export default (req, res) => res.send(1)', 'module'],
    ['var a=()=>1;export{a as main};', 'module'],
    ['const{a:b}={};function m(e){return e}export{m as main};', 'module'],
    ['/*! x */export default ()=>1;', 'module'],
    ['import"a";import b from"b";', 'module'],
    ['function main() {}\nif (1)', ''],
    ['function main(req) { return req?.body }', newer],
    ['const main = req => req ?? 1;', newer],
    ['class A { #x = 1 }\nfunction main() {}', newer],
    ['function main() {\n  return import("a")\n}', NODE < 10 ? 'syntax' : ''],
    ['exports.main = (req, res) => res.send(1)', 'main'],
    ['module.exports = (req, res) => res.send(1);', 'main'],
    ['function handler() {}\nmodule.exports = { handler }; // main', 'main'],
    ['addEventListener("fetch", () => {})', 'main'],
    ['(() => { function main() {} exports.main = main; })();', 'main'],
    ['const { main } = exports.all = { main() {} };', ''],
    ['var main; exports.main = 1;', ''],
    ['class main {} exports.main = main;', ''],
    ['async function main() {} module.exports = main;', ''],
    ['this.main = () => exports;', ''],
    ['Backstage.define("x", () => 1)', 'refused'],
    ['Backstage.modules.a = 1;', ''],
  ];
  const answers = ask(rows.map(([code]) => behind(code)));
  rows.forEach(([code, want], i) => t.equal(answers[i].behind, want, `${JSON.stringify(answers[i])} ${code}`));
  const [{ detail }] = ask([behind('let a;\nlet a;')]);
  t.ok(/^SyntaxError: .* at ns\/id\.js:2:5: let a;$/.test(detail), detail);
  t.end();
});

function load(modules, dir) {
  const input = JSON.stringify({ modules, dir });
  const options = { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] };
  return execFileSync(process.execPath, [...FLAGS, path.join(ROOT, 'loadmodules.js')], options);
}

test('modules are loaded', (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'modules-'));
  const write = (name, code) => {
    const folder = path.join(dir, 'node_modules', name);
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'index.js'), code);
  };
  fs.mkdirSync(path.join(dir, 'node_modules'));
  write('prints', 'console.log(1); process.stdout.write("2"); setInterval(() => {}, 1000);');
  write('throws', 'throw new Error("caf\u00e9 " + "x".repeat(200))');
  write('future', 'this is no language');
  const { missing } = JSON.parse(load(['lodash', 'zlib', 'prints', 'throws', 'future', 'none-of-that-name'], dir));
  t.deepEqual(missing.slice(0, 1).concat(missing.slice(2)), [
    `throws: caf? ${'x'.repeat(115)}`, "none-of-that-name: Cannot find module 'none-of-that-name'",
  ]);
  t.ok(missing[1].startsWith('future: its code is too new ('), missing[1]);
  ['prints', 'throws', 'future'].forEach((name) => {
    fs.unlinkSync(path.join(dir, 'node_modules', name, 'index.js'));
    fs.rmdirSync(path.join(dir, 'node_modules', name));
  });
  fs.rmdirSync(path.join(dir, 'node_modules'));
  fs.rmdirSync(dir);
  t.end();
});
