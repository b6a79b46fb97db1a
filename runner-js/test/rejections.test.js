'use strict';

// A promise that is rejected and that nobody handles: written to the output, and the answer only where there can be no other.

const path = require('path');
const { spawnSync } = require('child_process');
const test = require('tape');
const { started, inTurn } = require('./support');

const outcome = inTurn(test);

const fails = "const fails = (ms, why) => new Promise((_, reject) => setTimeout(() => reject(new Error(why || 'x')), ms));";
const main = body => `${fails} function main(req, res) { ${body} }`;
const asyncMain = body => `${fails} async function main(req, res) { ${body} }`;
const later = 'setTimeout(() => res.send(1), 20)';

test('a rejection that nobody handles does not fail a call that answers', async (t) => {
  for (const [name, code, lines] of [
    ['two promises begun and awaited in turn', asyncMain(`
      const b = fails(1), a = new Promise(r => setTimeout(r, 10));
      try { await a; await b } catch (e) { return 1 }`), 1],
    ['a call that is not awaited', asyncMain('async function track() { throw new Error("x") } track(); return 1'), 1],
    ['the same, later', asyncMain('fails(1); await new Promise(r => setTimeout(r, 20)); return 1'), 1],
    ['a branch of a promise that is handled', main(`const p = Promise.reject(new Error('x')); p.catch(() => {}); p.then(() => {}); ${later}`), 1],
    ['forEach with an async function', main(`[1, 2, 3].forEach(async (i) => { throw new Error('x') }); ${later}`), 3],
    ['an await in finally', asyncMain(`
      const p = fails(1);
      try { await new Promise(r => setTimeout(r, 5)) } finally { await 0 }
      try { await p } catch (e) { return 1 }`), 1],
    ['just before the answer', main("Promise.reject(new Error('x')); res.send(1)"), 1],
    ['and just after it', main("res.send(1); Promise.reject(new Error('x'))"), 1],
    ['by the top level', `Promise.reject(new Error('x')); ${main(later)}`, 1],
  ]) {
    const { answer, logs } = await outcome(code);
    t.deepEqual([answer.type, answer.status, answer.body], ['result', 200, 1], name);
    const said = logs.filter(line => line.startsWith('error Unhandled rejection: Error: x'));
    t.equal(said.length, lines, `${name}: the output says so`);
    if (said.length !== lines) t.comment(JSON.stringify(logs));
  }
});

test('it is the answer of a call that nothing is left of', async (t) => {
  for (const [name, code, status, message] of [
    ['at once', main("Promise.reject(new NotFound('x'))"), 404, 'x'],
    ['later', main('fails(5)'), 0, 'x'],
    ['the first of two', main("fails(5, 'a'); fails(10, 'b')"), 0, 'a'],
    ['when a timer that does not answer is over', main('Promise.reject(new Error("x")); setTimeout(() => {}, 30)'), 0, 'x'],
    ['when a module is through', main("Promise.reject(new Error('x')); require('lodash').delay(() => {}, 20)"), 0, 'x'],
    ['null', main('Promise.reject(null)'), 0, 'null'],
    ['while a promise waits that nobody settles', asyncMain("Promise.reject(new Error('x')); await new Promise(() => {})"), 0, 'x'],
  ]) {
    const { answer, logs } = await outcome(code, {}, { modules: ['lodash'] });
    t.deepEqual([answer.type, answer.status, answer.message, answer.reusable], ['error', status, message, true], name);
    t.equal(logs.filter(line => line.startsWith('error Unhandled rejection: ')).length, name === 'the first of two' ? 2 : 1, `${name}: and a line`);
  }
});

test('what main itself throws or rejects with is the answer, without a line', async (t) => {
  for (const code of [main("throw new Error('x')"), asyncMain("throw new Error('x')"), main('return fails(1)'), asyncMain('await fails(1)')]) {
    const { answer, logs } = await outcome(code);
    t.deepEqual([answer.type, answer.message, logs], ['error', 'x', []], code);
  }
});

test('a worker that has seen one serves the next call', async (t) => {
  const runner = await started();
  runner.load(main(`if (req.body === 0) ${later}; else if (req.body === 1) fails(1); else { fails(2); setTimeout(() => res.send(2), 10) }`));
  for (let i = 0; i < 9; i++) {
    const { answer, logs } = await runner.call({ id: `call${i}`, body: i % 3 });
    t.deepEqual([answer.type, answer.reusable, logs.length > 0], [i % 3 === 1 ? 'error' : 'result', true, i % 3 > 0], `call ${i}`);
  }
  await runner.close();
});

test('promises of a module that tells of rejections as Bluebird does', async (t) => {
  const runner = await started({ modules: [path.join(__dirname, 'modules', 'promises.js')] });
  runner.load(main(`require(${JSON.stringify(path.join(__dirname, 'modules', 'promises.js'))}).reject(new Error('x')); if (req.body) ${later}`));
  const answered = await runner.call({ body: 1 });
  t.equal(answered.answer.body, 1);
  t.ok(answered.logs[0].startsWith('error Unhandled rejection: Error: x'), answered.logs[0]);
  t.equal((await runner.call({ body: 0 })).answer.message, 'x');
  await runner.close();
});

test('a worker whose module has thrown in a tick serves calls that wait', async (t) => {
  const module = path.join(__dirname, 'modules', 'ticks.js');
  const runner = await started({ modules: [module] });
  runner.load(`function main(req, res) { if (req.body) setTimeout(() => res.send(req.body), 1); else require(${JSON.stringify(module)})() }`);
  for (let i = 0; i < 3; i++) {
    t.equal((await runner.call({ id: `fails${i}`, body: 0 })).answer.message, 'a tick');
    t.equal((await runner.call({ id: `waits${i}`, body: 7 })).answer.body, 7);
  }
  await runner.close();
});

test('what is thrown after an iteration of the event loop is an uncaught error', (t) => {
  const pending = JSON.stringify(path.join(__dirname, '../pending.js'));
  const code = `require(${pending}).later(() => { throw new Error('thrown later') })`;
  const { status, stderr } = spawnSync(process.execPath, ['--expose-internals', '-e', code], { encoding: 'utf8' });
  t.ok(status > 0, 'it ends the process');
  t.match(stderr, /Error: thrown later/, 'and is told');
  t.end();
});
