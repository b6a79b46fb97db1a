'use strict';

// What a call answers, outcome by outcome. Engines word their own errors differently: those are matched in part.

const test = require('tape');
const { outcome, inTurn } = require('./support');

const answered = inTurn(test);

const result = (body, more) => Object.assign({ type: 'result', status: 200, headers: [], body }, more);
const error = (status, message, more) => Object.assign({ type: 'error', status, message, headers: [] }, more);

// check compares the members of want with those of the answer; a RegExp is matched.
async function check(t, name, code, want, request) {
  const { answer } = await answered(code, request);
  for (const key of Object.keys(want)) {
    if (want[key] instanceof RegExp) t.ok(want[key].test(answer[key]), `${name}: ${key} ${answer[key]}`);
    else t.deepEqual(answer[key], want[key], `${name}: ${key}`);
  }
}

function table(title, rows) {
  test(title, async (t) => {
    for (const [name, code, want, request] of rows) await check(t, name, code, want, request);
  });
}

const main = body => `function main(req, res) { ${body} }`;

table('the first answer is sent as JSON', [
  ['an object', main('res.send({ a: [1, null, undefined], b: undefined })'), result({ a: [1, null, null] })],
  ['a text', main("res.send('text')"), result('text')],
  ['null', main('res.send(null)'), result(null)],
  ['NaN', main('res.send(NaN)'), result(null)],
  ['undefined', main('res.send(undefined)'), result(undefined)],
  ['a function', main('res.send(() => {})'), result(undefined)],
  ['a Buffer', main("res.send(Buffer.from('ab'))"), result({ type: 'Buffer', data: [97, 98] })],
  ['a toJSON', main('res.send({ toJSON() { return 1 } })'), result(1)],
  ['status and headers', main("res.status(201).set('X-A', 'b').set('etag', '\"x\"').send(1)"), result(1, { status: 201, headers: [['X-A', 'b'], ['etag', '"x"']] })],
  ['a status in digits', main("res.status('201').send(1)"), result(1, { status: 201 })],
  ['no status', main('res.status(0).send(1)'), result(1)],
  ['two answers', main('res.send(1); res.status(400).send(2)'), result(1)],
  ['an answer, then an error', main("res.send(1); throw new Error('x')"), result(1)],
  ['an error answer, then an answer', main("res.badRequest('x'); res.send(1)"), error(400, 'x')],
  ['what was changed after send', main("const x = { a: 1 }; res.send(x); x.a = 2; res.set('late', 'x')"), result({ a: 2 })],
  ['not modified', main("res.set('a', 'b').notModified()"), result(null, { status: 304, headers: [['a', 'b']] })],
  ['later', main('setTimeout(() => res.send(req.body.x), 5)'), result(7), { body: { x: 7 } }],
  ['a value that is returned', main('setTimeout(() => res.send(1), 1); return 2'), result(1)],
  ['answered by the top level', 'Backstage.response.send(1); function main() {}', result(1)],
]);

table('an async main answers with what it returns', [
  ['a value', 'async function main() { return { a: 1 } }', result({ a: 1 })],
  ['nothing', 'async function main() {}', result(undefined)],
  ['null', 'const main = async () => null', result(null)],
  ['after an await', 'async function main() { await 1; return 2 }', result(2)],
  ['an answer before', 'async function main(req, res) { res.send(1); return 2 }', result(1)],
  ['an answer by a callback comes too late', 'async function main(req, res) { setTimeout(() => res.send(1), 1) }', result(undefined, { reusable: false })],
  ['a rejection', "async function main() { throw Object.assign(new Error('x'), { statusCode: 409 }) }", error(409, 'x')],
  ['status and headers', "async function main(req, res) { res.status(202).set('a', 'b'); return 1 }", result(1, { status: 202, headers: [['a', 'b']] })],
  ['a promise of a plain main', main('return Promise.resolve(5)'), result(5)],
  ['a promise of nothing of a plain main', main('setTimeout(() => res.send(1), 5); return Promise.resolve()'), result(1)],
  ['a rejected promise of a plain main', main("return Promise.reject(new Error('x'))"), error(0, 'x')],
]);

table('what is thrown is answered', [
  ['an error', main("throw new Error('x')"), error(0, 'x', { text: 'Error: x', frames: 'at main (ns/id.js:1)\nat ns/id.js:2\nat ns/id.js:2' })],
  ['line numbers', "\n\nfunction main() {\n  throw new Error('x');\n}\n", error(0, 'x', { frames: 'at main (ns/id.js:4)\nat ns/id.js:7\nat ns/id.js:7' })],
  ['with a status', main("throw Object.assign(new Error('x'), { statusCode: 418 })"), error(418, 'x')],
  ['headers are dropped', main("res.set('a', 'b'); throw new Error('x')"), error(0, 'x')],
  ['NotModified', main('throw new NotModified()'), error(304, '')],
  ['BadRequest', main("throw new BadRequest('x')"), error(400, 'x')],
  ['NotFound', main("throw new NotFound('x')"), error(404, 'x')],
  ['UnprocessableEntity', main("throw new UnprocessableEntity('x')"), error(422, 'x')],
  ['InternalServerError', main("throw new InternalServerError('x')"), error(500, 'x')],
  ['a subclass', `class Mine extends BadRequest {}; ${main("throw new Mine('x')")}`, error(400, 'x')],
  ['an instance', main('res.send(new BadRequest() instanceof Error)'), result(true)],
  ['names of the classes', main('const e = new NotFound("x"); res.send([e.name, String(e), e.constructor.name])'), result(['Error', 'Error: x', 'NotFound'])],
  ['in a timer', main("setTimeout(() => { throw new NotFound('x') }, 1)"), error(404, 'x')],
  ['a rejection that nobody handles', main("Promise.reject(new Error('x'))"), error(0, 'x')],
  ['the same, later', main("setTimeout(() => Promise.reject(new Error('x')), 1)"), error(0, 'x')],
  ['after an await', "async function main() { await 1; throw 'x' }", error(0, 'x')],
  ['by the top level', "throw new Error('x')", error(0, 'x')],
  ['an unknown name', 'function main() { x = 1 }', error(0, /x is not defined/)],
  ['no main', 'const x = 1', error(0, /main is not defined/)],
  ['a syntax error', 'function main( {', error(0, /./, { text: /^SyntaxError: /, frames: '' })],
  ['res.badRequest', main("res.badRequest('x')"), error(400, 'x')],
  ['res.notFound', main("res.notFound('x')"), error(404, 'x')],
  ['res.unprocessableEntity', main("res.unprocessableEntity('x')"), error(422, 'x')],
  ['res.internalServerError', main("res.internalServerError('x')"), error(500, 'x')],
  ['an object for a message', main('res.badRequest({ field: 1 })'), error(400, '{"field":1}')],
]);

table('whatever is thrown is answered', [
  ['a text', main("throw 'text'"), error(0, 'text', { text: 'text' })],
  ['a number', main('throw 7'), error(0, '7')],
  ['an object', main('throw { a: 1 }'), error(0, '{"a":1}')],
  ['null', main('throw null'), error(0, 'null')],
  ['undefined', main('throw undefined'), error(0, 'undefined')],
  ['null, in a timer', main('setTimeout(() => { throw null }, 1)'), error(0, 'null')],
  ['null, by a promise', 'async function main() { throw null }', error(0, 'null')],
  ['null, by a promise that nobody handles', main('Promise.reject(null)'), error(0, 'null')],
  ['a status that is none', main("throw Object.assign(new Error('x'), { statusCode: 'abc' })"), error(0, 'x')],
  ['a status beyond those that have a name', main("throw Object.assign(new Error('x'), { statusCode: 999 })"), error(999, 'x')],
  ['a status of four digits', main("throw Object.assign(new Error('x'), { statusCode: 1000 })"), error(500, 'x')],
  ['an impossible status', main("throw Object.assign(new Error('x'), { statusCode: 42 })"), error(500, 'x')],
  ['a proxy', main("throw new Proxy({}, { get() { throw new Error('x') } })"), error(0, 'unknown error')],
]);

table('an answer that cannot be written is a 500', [
  ['a cycle', main("const x = {}; x.x = x; res.set('a', 'b').send(x)"), error(0, /circular/, { headers: [['a', 'b']] })],
  ['a toJSON that throws', main("res.status(201).send({ toJSON() { throw Object.assign(new Error('x'), { statusCode: 400 }) } })"), error(0, 'x')],
  ['a toJSON that throws headers', main("res.send({ toJSON() { throw { message: 'x', applied: [['a', '\\r\\n']] } } })"), error(0, 'x')],
  ['a header with a line break', main("res.set('a', 'b').set('c', 'd\\r\\ne: f').send(1)"), error(0, /invalid characters/, { headers: [['a', 'b']] })],
  ['a name that is none', main("res.set('a b', 'c').send(1)"), error(0, /valid HTTP Token \["a b"\]/)],
  ['a name above ASCII', main("res.set('aé', 'c').send(1)"), error(0, 'Header name must be a valid HTTP Token ["aé"]')],
  ['an object as a name', main('res.set({ a: 1 }).send(1)'), error(0, /valid HTTP Token \["\[object Object\]"\]/)],
  ['a name that is none, undefined', main("res.set('a b', undefined).send(1)"), error(0, /valid HTTP Token \["a b"\]/)],
  ['a character above a byte', main("res.set('a', 'é').set('b', '日').send(1)"), error(0, 'The header content contains invalid characters', { headers: [['a', 'é']] })],
  ['a character just above a byte', main("res.set('b', 'x\\u0100').send(1)"), error(0, 'The header content contains invalid characters')],
  ['half a character', main("res.set('b', '\\ud83d').send(1)"), error(0, 'The header content contains invalid characters')],
  ['DEL', main("res.set('b', '\\x7f').send(1)"), error(0, 'The header content contains invalid characters')],
  ['an empty name', main("res.set('', 'c').send(1)"), error(0, /valid HTTP Token/)],
  ['status 42', main('res.status(42).send(1)'), error(0, 'Invalid status code: 42')],
  ['status 99999', main('res.status(99999).send(1)'), error(0, /Invalid status code/)],
  ['status -1', main('res.status(-1).send(1)'), error(0, /Invalid status code/)],
  ['status abc', main("res.status('abc').send(1)"), error(0, 'Invalid status code: abc')],
  ['headers that are none', main('res.headers = null; res.send(1)'), error(0, /./)],
]);

table('headers', [
  ['a list', main("res.set('Set-Cookie', ['a=1', 'b=2']).send(1)"), result(1, { headers: [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']] })],
  ['undefined', main("res.set('a', undefined).set('b', [undefined, 1]).send(1)"), result(1, { headers: [['b', '1']] })],
  ['as many as there may be', main("res.set('a', Array(256).fill('b')).send(1)"), result(1, { headers: Array(256).fill(['a', 'b']) })],
  ['one more', main("res.set('z', '1').set('a', Array(256).fill('b')).send(1)"), { type: 'error', message: 'The answer has more than 256 header lines' }],
  ['as large as they may be', main("res.set('a', 'é'.repeat(32767) + 'x').send(1)"), result(1, { headers: [['a', `${'é'.repeat(32767)}x`]] })],
  ['a byte more', main("res.set('a', 'é'.repeat(32768)).send(1)"), error(0, 'The headers of the answer have more than 65536 bytes')],
  ['a byte more in several', main("res.set('a', 'x'.repeat(40000)).set('b', 'x'.repeat(25535)).send(1)"), { type: 'error', message: /more than 65536 bytes/ }],
  ['numbers, null, text of bytes', main("res.set('a', 1).set('b', null).set('c', '\\t \\x80é\\xff').send(1)"),
    result(1, { headers: [['a', '1'], ['b', 'null'], ['c', '\t \x80é\xff']] })],
  ['the binary idiom', main("res.set('a', Buffer.from('José☃').toString('binary')).send(1)"), result(1, { headers: [['a', 'JosÃ©â\x98\x83']] })],
  ['the last value', main("res.set('a', 1).set('a', 2).send(1)"), result(1, { headers: [['a', '2']] })],
]);

table('the end of the code does not matter', [
  ['a comment', 'function main(req, res) { res.send(1) } // the end', result(1)],
  ['no semicolon', 'const main = (req, res) => res.send(1)', result(1)],
  ['a call that could go on', 'const main = (req, res) => res.send(1)\nconst x = main', result(1)],
  ['a lone brace', 'function main() {} }', error(0, /./, { text: /^SyntaxError/ })],
  ['an empty function', '', error(0, /main is not defined/)],
]);

table('a check runs the top level alone', [
  ['sound code', "function main() { throw new Error('x') }", result(undefined), { kind: 'check' }],
  ['no main', '', result(undefined), { kind: 'check' }],
  ['a syntax error', 'function main( {', error(0, /./, { text: /^SyntaxError: /, frames: '' }), { kind: 'check' }],
  ['an error', "\nthrow new TypeError('x')", error(0, 'x', { text: 'TypeError: x', frames: 'at ns/id.js:2\nat ns/id.js:3' }), { kind: 'check' }],
  ['a text', "throw 'text'", error(0, 'text', { text: 'text', frames: '' }), { kind: 'check' }],
  ['null', 'throw null', error(0, 'null', { text: 'null' }), { kind: 'check' }],
  ['a timer that would throw', 'setTimeout(() => { throw null }, 1)', result(undefined, { reusable: false }), { kind: 'check' }],
  ['neither request nor response', "throw Object.keys(Backstage).sort().join()", error(0, 'config,env,modules'), { kind: 'check' }],
]);

test('a function that breaks the language breaks only its own answer', async (t) => {
  for (const harm of [
    'Object.prototype.toJSON = () => 5', 'Object.prototype.toJSON = () => { throw 1 }', 'JSON.stringify = () => "}"', 'Array.prototype.push = null',
    'delete Array.prototype.map', 'Promise.prototype.then = null', 'RegExp.prototype.test = () => true', 'String.prototype.split = null',
    'Object.keys = null', 'Array.isArray = null', 'String = null', 'Map.prototype.get = null', 'Error.prepareStackTrace = () => 7',
    'Object.defineProperty(Object.prototype, "statusCode", { get() { throw 1 } })', 'Array.prototype[Symbol.iterator] = null',
    'Function.prototype.call = null', 'Function.prototype.apply = null', 'WeakMap.prototype.get = null',
  ]) {
    for (const end of ["res.set('a', 'b').send({ x: 1 })", "throw new Error('x')"]) {
      const { lines, answer } = await outcome(`function main(req, res) { ${harm}; ${end} }`);
      t.equal(lines.length, 1, `${harm}; ${end}`);
      t.ok(answer.type === 'error' || answer.status === 200, `and says ${answer.type}`);
    }
  }
});

test('status and headers are those at send, the body is that at the end of the turn', async (t) => {
  for (const [name, code] of [
    ['set', "res.set('a', '1').status(201).send(body); res.set('b', '2').set('a', '3').status(500); body.x = 2"],
    ['the object', "res.set('a', '1').status(201).send(body); res.headers.b = '2'; delete res.headers.a; res.headers = { c: 1 }; res.statusCode = 500; body.x = 2"],
    ['a value', "const a = { toString: () => a.text, text: '1' }; res.set('a', a).status(201).send(body); a.text = '2'; body.x = 2"],
    ['an element', "const a = ['1']; res.set('a', a).status(201).send(body); a.push('2'); body.x = 2"],
    ['a promise', "res.set('a', '1').status(201).send(body); Promise.resolve().then(() => res.set('b', '2')); body.x = 2"],
    ['another answer', "res.set('a', { toString() { res.send(7); return '1' } }).status(201).send(body); body.x = 2"],
  ]) {
    const { answer } = await outcome(`function main(req, res) { const body = { x: 1 }; ${code} }`);
    t.deepEqual([answer.status, answer.headers, answer.body], [201, [['a', '1']], { x: 2 }], name);
  }
});

table('an error that is too large is told by its size', [
  ['below the limit', "function main() { throw new Error('x'.repeat(300000)) }", error(0, 'x'.repeat(300000))],
  ['beyond it', "function main() { throw new Error('x'.repeat(400000)) }", { type: 'oversize' }],
  ['an answer of that size', main("res.send('x'.repeat(1200000))"), result('x'.repeat(1200000))],
]);
