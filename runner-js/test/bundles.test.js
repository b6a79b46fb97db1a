'use strict';

// Libraries of npm run as code of functions on Node.js 24, bundled for Node.js, without a list of the operator.

const test = require('tape');
const path = require('path');
const { started } = require('./support');
const table = require('./bundles/table');

const folder = path.join(__dirname, 'bundles');
const skip = parseInt(process.versions.node, 10) < 24;
const HTTP = { path: '/a/5', url: '/a/5', ip: '10.0.0.1', host: 'x.example', scheme: 'https', params: {} };

// bundled is the code of a function in one file.
function bundled(code, format) {
  const { buildSync } = require('./bundles/node_modules/esbuild'); // make test-js has installed it
  const stdin = { contents: code, resolveDir: folder };
  return buildSync({ stdin, format, bundle: true, write: false, platform: 'node', target: 'node24', logLevel: 'silent' }).outputFiles[0].text;
}

// called returns the last frames of two calls, or of one that ends its worker.
async function called(code) {
  const runner = await started({ maxAnswer: 1e6, egress: { socket: '/tmp/no-such.sock', keepAlive: false } });
  runner.load(code, undefined, undefined, { web: true });
  const frames = [];
  for (let i = 0; i < 2; i++) {
    const { answer } = await runner.call({ id: `g${i}`, method: 'GET', http: HTTP });
    frames.push(answer);
    if (!answer.reusable) break;
  }
  await runner.close();
  return frames;
}

const bodyOf = ({ body, bytes, text }) => (bytes === undefined ? body || text : JSON.parse(Buffer.from(bytes, 'base64').toString()));

for (const { name, code, want } of table) {
  test(`${name} runs as code of a function`, { skip }, async (t) => {
    const frames = await called(bundled(code, 'cjs'));
    t.deepEqual(frames.map(bodyOf), frames.map(() => want));
  });
}

test('a bundle may be an ES module', { skip }, async (t) => {
  const [{ code, want }] = table;
  const frames = await called(bundled(code, 'esm'));
  t.deepEqual(frames.map(bodyOf), frames.map(() => want));
});
