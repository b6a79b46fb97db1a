'use strict';

const test = require('tape');
const { realm } = require('./support');

const globals = { lodash: { name: 'lodash' } };
const { makeRequire, makeRelativeRequire } = realm('require', {
  fault: name => (name === 'listed' ? ' on this Node.js' : ''), hasModule: name => name === 'lodash', module: name => globals[name],
});

test('require says why a module that is listed is not there', (t) => {
  t.throws(() => makeRequire({})('listed'), /^Error: Cannot find module 'listed' on this Node.js$/);
  t.end();
});

test('require finds own modules first, then global ones by exact name', (t) => {
  const modules = { './x': () => 'own x', './undef': () => undefined };
  const require = makeRequire(modules);
  t.equal(require('./x'), 'own x');
  t.equal(require('./undef'), undefined);
  t.equal(require('lodash'), globals.lodash);
  modules.lodash = () => 'own lodash';
  t.equal(require('lodash'), 'own lodash');
  for (const name of ['lodash/fp', './y', '', 'fs', 'constructor', '__proto__', 'toString', undefined, './lodash']) {
    t.throws(() => require(name), new RegExp(`^Error: Cannot find module '${name}'$`), `${name} is not there`);
  }
  try { require('fs'); } catch (e) { t.equal(e.code, 'MODULE_NOT_FOUND'); }
  t.end();
});

test('require calls the factory each time', (t) => {
  let made = 0;
  const require = makeRequire({ './x': () => { made++; return made; } });
  t.deepEqual([require('./x'), require('./x')], [1, 2]);
  t.end();
});

test('relativeRequire resolves below its base, then falls back to require', (t) => {
  const modules = { './a/b': () => 'a/b', './c': () => 'c' };
  const relative = makeRelativeRequire(modules, makeRequire(modules));
  for (const [base, name, want] of [
    ['a', './b', 'a/b'], ['a', 'b', 'a/b'], ['./a', './b', 'a/b'], ['a/x', '../b', 'a/b'], ['a', '../c', 'c'], ['a', './c/../b', 'a/b'],
    ['a', './c', 'c'], ['a', 'lodash', globals.lodash],
  ]) {
    t.equal(relative(base)(name), want, `${name} from ${base}`);
  }
  t.throws(() => relative('a')('./d'), /Cannot find module '.\/d'/);
  t.throws(() => relative('a')('../a/../constructor'), /Cannot find module/);
  t.end();
});
