'use strict';

// Ways of functions with modules of Node.js and others: [{ name, code, want, logs }]. Run by itself it prints them as JSON for the tests of the host.

const MODULES = ['events', 'lodash', 'os', 'pino', 'stream', 'util', 'winston'];

const OS = ['arch', 'cpus', 'endianness', 'freemem', 'homedir', 'hostname', 'loadavg', 'networkInterfaces', 'platform', 'release', 'tmpdir', 'totalmem', 'type',
  'uptime', 'userInfo', 'version', 'machine', 'availableParallelism'];
const ERRORS = ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'];

const main = body => `async function main(req, res) { ${body} }`;

// thrown is an error of the modules' realm, by name.
const thrown = name => `(() => { let out; require('lodash').template('<% give(new ' + ${name} + '("x")) %>')({ give: (e) => { out = e; } }); return out; })()`;

module.exports = [
  ['util.promisify(setTimeout)', main("return require('util').promisify(setTimeout)(1, 'later');"), 'later'],
  ['util.promisify(setTimeout) without a value', main("return [await require('util').promisify(setTimeout)(1)];"), [null]],
  ['every function of os answers', main(`const os = require('os'); return ${JSON.stringify(OS)}.filter((name) => {
    try { return os[name] && os[name]() === undefined; } catch (e) { return true; } });`), []],
  ['os says nothing of users and the network', main("const os = require('os'); const { username, homedir, shell } = os.userInfo(); return [os.cpus().length, os.networkInterfaces(), os.homedir(), username, homedir, shell];"),
    [1, {}, '/tmp', 'nobody', '/tmp', null]],
  ['errors of modules are instances of the errors of functions', main(`return ${JSON.stringify(ERRORS)}.filter((name) => {
    const error = ${thrown('name')}; return !(error instanceof Error) || !(error instanceof Function('return ' + name)()); });`), []],
  ['but of no others', main(`class Own extends Error {}; class Type extends TypeError {}; const error = ${thrown("'TypeError'")};
    return [error instanceof RangeError, error instanceof Own, error instanceof Type, error instanceof BadRequest, {} instanceof Error, null instanceof Error,
      new Own() instanceof Own, new Own() instanceof Error, new Type() instanceof TypeError, new Error() instanceof TypeError];`),
  [false, false, false, false, false, false, true, true, true, false]],
  ['errors of functions are instances of the errors of modules', main(`let out; const template = '<% give(error instanceof Error, error instanceof TypeError, wrong instanceof TypeError) %>';
    require('lodash').template(template)({ error: new TypeError('x'), wrong: new RangeError('x'), give: (...all) => { out = all; } }); return out;`), [true, true, false]],
  ['an emitted error is thrown as it is', main("const E = require('events'); class Mine extends Error {}; const error = new Mine('x'); try { new E().emit('error', error); } catch (e) { return e === error; }"), true],
  ['lodash takes errors of functions for errors', main("return [require('lodash').isError(new NotFound('x')), require('lodash').isError({})];"), [true, false]],
  ['winston prints to the output', main(`const { createLogger, format, transports } = require('winston');
    const logger = createLogger({ format: format.simple(), transports: [new transports.Console()] });
    logger.info('hello'); logger.error('twice\\nfolded'); return 'done';`), 'done', ['info info: hello', 'info error: twice', 'info folded']],
  ['pino prints to the output', main("require('pino')({ base: null, timestamp: false }).info('hello'); return 'done';"), 'done', [/^info .*"msg":"hello"/]],
  ['modules print to the output', main(`const print = (text) => require('lodash').template('<% ' + text + ' %>')();
    print('process.stdout.write("a"); process.stderr.write("b\\\\n"); process.stdout.write("c\\\\n\\\\nd"); console.log("e", 1); console.error("f")');
    console.log('g'); return 'done';`), 'done', ['error b', 'info ac', 'info de 1', 'error f', 'info g']],
  ['a write to the streams calls back', main(`const write = require('lodash').template('<% process.stdout.write("a\\\\n", "utf8", done) %>');
    return new Promise(resolve => write({ done: () => resolve('written') }));`), 'written', ['info a']],
].map(([name, code, want, logs]) => ({ name, code, want, logs: logs || [] }));

module.exports.MODULES = MODULES;

if (require.main === module) process.stdout.write(JSON.stringify(module.exports));
