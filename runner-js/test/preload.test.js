'use strict';

// A process that is told at the start that all functions have the globals of the web answers as any other does.

const test = require('tape');
const { started } = require('./support');

const modern = parseInt(process.versions.node, 10) >= 18;

const FUNCTIONS = [
  'function main(req, res) { res.send([typeof URL, typeof Response, typeof process.exit, req.body]) }',
  'function main(req, res) { res.send(new URL("http://a/b").pathname) }',
  'function main(req, res) { res.send(require("crypto").createHash("md5").update("x").digest("hex")) }',
  'function main(req, res) { global.leak = (global.leak || 0) + 1; res.send(leak) }',
  'function main(req, res) { req.__proto__.__proto__.evil = 1; res.send(1) }',
].concat(modern ? [
  'module.exports = { fetch: request => new Response(request.method, { headers: { "set-cookie": "a=b" } }) }',
  'module.exports = { fetch: async request => new Response(await request.text()) }',
  'async function main() { return (await fetch("data:text/plain,hello")).text() }',
  'async function main() { return (await new Response("{}").json()).constructor === Object }',
  'function main(req, res) { setTimeout(() => {}, 1e6); res.send(typeof new Headers()) }',
] : []);

// answersOf are the answers to two calls, or to one if the process is not used again.
async function answersOf(code, changes) {
  const runner = await started(changes);
  runner.load(code, undefined, undefined, { web: true });
  const answers = [];
  for (const id of ['1', '2']) {
    const { answer } = await runner.call({ id, method: 'POST', raw: 'eA==', body: undefined });
    delete answer.load;
    delete answer.cut; // what Node.js loads late counts as work
    answers.push(answer);
    if (!answer.reusable) break;
  }
  await runner.close();
  return answers;
}

test('what is loaded at the start changes no answer', async (t) => {
  for (const code of FUNCTIONS) t.deepEqual(await answersOf(code, { web: true }), await answersOf(code, {}), code);
});

test('a function without these globals is refused there', async (t) => {
  const runner = await started({ web: true });
  runner.load('function main() {}');
  const { code, stderr } = await runner.ended;
  t.deepEqual([code, stderr.includes('this process is for functions with the globals of the web')], [70, true]);
});
