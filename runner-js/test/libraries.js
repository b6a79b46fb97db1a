'use strict';

// Functions that bring libraries along which change the built-in objects of the language, or leave marks on them, as bundlers put them together. Run by
// itself it prints them as JSON for the tests of the host: [{ name, code, want, marks }], where
// marks says that it changes them on every version.

const fs = require('fs');
const path = require('path');

// bundle puts a CommonJS module and what it requires into one expression, whose value is what the module exports.
function bundle(name) {
  const modules = new Map();
  const add = (file) => {
    if (modules.has(file)) return modules.get(file).id;
    const text = textOf(file);
    const entry = { id: modules.size, text, needs: {} };
    modules.set(file, entry);
    for (const [, need] of all(entry.text)) {
      entry.needs[need] = add(resolve(need, path.dirname(file)));
    }
    return entry.id;
  };
  add(require.resolve(name));
  const list = Array.from(modules.values()).map(({ text, needs }) => `[function (require, module, exports) {${text}\n}, ${JSON.stringify(needs)}]`);
  return `(function (global) { return (function (list) { var loaded = {};
    function load(i) {
      if (!loaded[i]) { loaded[i] = { exports: {} }; list[i][0].call(loaded[i].exports, function (name) { return load(list[i][1][name]); }, loaded[i], loaded[i].exports); }
      return loaded[i].exports;
    }
    return load(0); })([${list.join(',\n')}]); })(Function('return this')())`;
}

// textOf stands in for what bundlers bring of Node.js, which is asked for its inspect alone.
function textOf(file) {
  if (!path.isAbsolute(file)) return 'exports.inspect = {};';
  const text = fs.readFileSync(file, 'utf8');
  return file.endsWith('.json') ? `module.exports = ${text}` : text;
}

// resolve finds what bundlers do: some packages have modules of another kind for newer versions of Node.js.
function resolve(name, from) {
  let found = '';
  try {
    found = require.resolve(name, { paths: [from] });
  } catch (error) {
    // of another version of the language, behind a condition
  }
  return found.endsWith('.mjs') ? path.join(path.dirname(found), 'index.js') : found;
}

const REQUIRE = /\brequire\('([^']+)'\)/g;

function all(text) {
  const found = [];
  text.replace(REQUIRE, (...match) => found.push(match));
  return found;
}

const file = name => fs.readFileSync(require.resolve(name), 'utf8');
const main = answer => `\nfunction main(req, res) { res.send(${answer}); }`;

// What is left on a built-in function is there for the call itself, and for no later one.
const mark = (place, key) => `var before = ${place}.${key}; ${place}.${key} = 1;`;
const marked = (place, key) => `[typeof before, ${place}.${key}]`;

module.exports = [
  ['object.assign', `var assign = ${bundle('object.assign')};${main('assign({ a: 1 }, { b: 2 })')}`, { a: 1, b: 2 }],
  ['object.assign, as a shim', `${bundle('object.assign')}.shim();${main('Object.assign({ a: 1 }, { b: 2 })')}`, { a: 1, b: 2 }],
  ['object.entries', `var entries = ${bundle('object.entries')};${main('entries({ a: 1 })')}`, [['a', 1]]],
  ['object.values', `var values = ${bundle('object.values')};${main('values({ a: 1 })')}`, [1]],
  ['core-js 2', `${file('core-js/client/core.min.js')};${main('Array.from(new Map([[1, "%"]]).values()).concat("x")')}`, ['%', 'x']],
  ['core-js 2, shims only', `${file('core-js/client/shim.min.js')};${main('"a".padStart(3) + [1, [2]].includes(1)')}`, '  atrue'],
  ['core-js 2, by modules', `${bundle('core-js/shim')};${main('"a".padStart(3) + [1, [2]].includes(1)')}`, '  atrue'],
  ['babel-polyfill 6', `${file('babel-polyfill/dist/polyfill.js')};
    async function main(req, res) { return [typeof regeneratorRuntime, await Promise.resolve(1)]; }`, ['object', 1]],
  ['a mark of Object.keys', mark('Object.keys', 'polyfilled') + main(marked('Object.keys', 'polyfilled')), ['undefined', 1]],
  ['a mark of a method', mark('Array.prototype.map', 'patched') + main(marked('Array.prototype.map', 'patched')), ['undefined', 1]],
  ['a mark of Buffer.from', mark('Buffer.from', 'patched') + main(marked('Buffer.from', 'patched')), ['undefined', 1]],
  ['a mark of console.log', mark('console.log', 'patched') + main(marked('console.log', 'patched')), ['undefined', 1]],
  ['a mark of parseInt', mark('parseInt', 'patched') + main(marked('parseInt', 'patched')), ['undefined', 1]],
  ['a hidden mark of JSON.parse', `var before = JSON.parse.mark; Object.defineProperty(JSON.parse, 'mark', { value: 1 });${main(marked('JSON.parse', 'mark'))}`, ['undefined', 1]],
  ['a mark of a getter', `var size = Object.getOwnPropertyDescriptor(Map.prototype, 'size').get; ${mark('size', 'mark')}${main(marked('size', 'mark'))}`, ['undefined', 1]],
  ['a mark that main leaves', `function main(req, res) { ${mark('Object.keys', 'x')} res.send(${marked('Object.keys', 'x')}); }`, ['undefined', 1]],
].map(([name, code, want]) => ({ name, code, want, marks: !name.startsWith('object.') }));

if (require.main === module) process.stdout.write(JSON.stringify(module.exports));
