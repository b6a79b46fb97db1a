'use strict';

// Turns an ES module into code that the wrapper takes, line by line: imports become requires, exports become members of
// module.exports.

const acorn = require('./acorn');

// Names in the lowered code that the module does not use itself.
const [MODULE, IMPORT, DEFAULT] = ['__functionsModule', '__functionsImport', '__functionsDefault'];

const START = { line: 1, column: 0 };

const HEAD = `const ${MODULE} = module; ` +
  `const ${DEFAULT} = m => (m && m.__esModule ? m.default : m); ` +
  `const ${IMPORT} = async (name) => { const m = require(name); ` +
  `return Object.assign({ default: ${DEFAULT}(m) }, m); };`;

// What V8 says of a module that it compiles as a script.
const REFUSED = /\b(?:import|export|modules)\b/;

// isRefused says whether an error of V8 is about what only a module may hold.
function isRefused(error) {
  return error instanceof SyntaxError && REFUSED.test(error.message);
}

// lower returns the lowered code. It throws a SyntaxError, with its place as {line, column}, if code is no module, or
// one that cannot be lowered.
function lower(code) {
  const { parse } = parser();
  const tokens = code.includes('<!--') ? [] : undefined;
  let tree;
  try {
    tree = parse(code, { ecmaVersion: 'latest', sourceType: 'module', onToken: tokens });
  } catch (error) {
    throw broken(error);
  }
  const edits = [];
  const out = { edits, heads: [], feet: [], modules: 0, code };
  if (tokens !== undefined) refuseComments(tokens, out);
  tree.body.forEach(statement => lowerStatement(statement, out));
  lowerExpressions(tree, out);
  edits.sort((a, b) => a.start - b.start);
  let text = '';
  let at = 0;
  for (const { start, end, by } of edits) {
    text += code.slice(at, start) + by;
    at = end;
  }
  return `${HEAD}{${out.heads.join('')}${text}${code.slice(at)}\n;${out.feet.join('')}}`;
}

// refuseComments refuses operators that would begin a comment in the lowered code, which is no module.
function refuseComments(tokens, out) {
  for (const { type: { label }, start } of tokens) {
    if (label === '</>/<=/>=' && out.code.startsWith('<!--', start)) {
      fault('<!-- is not available in modules: put spaces between the operators', placeOf(start, out));
    }
  }
}

function parser() {
  return acorn() ||
    fault('the runner has no parser of ES modules: install its modules, or use module.exports', START);
}

function fault(message, place) {
  throw Object.assign(new SyntaxError(message), { place });
}

// broken says what acorn has found.
/** @type {(error: any) => SyntaxError} */
const broken = (error) => {
  if (!(error instanceof SyntaxError)) {
    return Object.assign(new SyntaxError('the code is nested too deeply'), { place: START });
  }
  return Object.assign(new SyntaxError(error.message.replace(/ \(\d+:\d+\)$/, '')), { place: error['loc'] });
};

function lowerStatement(statement, out) {
  switch (statement.type) {
    case 'ImportDeclaration': lowerImport(statement, out); break;
    case 'ExportDefaultDeclaration': lowerDefault(statement, out); break;
    case 'ExportNamedDeclaration': lowerNamed(statement, out); break;
    case 'ExportAllDeclaration': lowerAll(statement, out); break;
    default:
      if (declared(statement).includes('main')) out.feet.push(exported('main', 'main'));
  }
}

const exported = (name, value) => `${MODULE}.exports[${JSON.stringify(name)}] = ${value};`;
const nameOf = node => (node.type === 'Literal' ? node.value : node.name);

// blank takes a statement away and keeps its lines.
function blank({ start, end }, out) {
  out.edits.push({ start, end, by: out.code.slice(start, end).replace(/[^\n]+/g, '') });
}

// required is the name of a constant for the exports of source.
function required(source, out) {
  const name = `__functionsModule${out.modules++}`;
  out.heads.push(`const ${name} = require(${JSON.stringify(source.value)});`);
  return name;
}

function member(module, name) {
  return name === 'default' ? `${DEFAULT}(${module})` : `${module}[${JSON.stringify(name)}]`;
}

function lowerImport(statement, out) {
  const module = required(statement.source, out);
  for (const { type, local, imported } of statement.specifiers) {
    const name = imported ? nameOf(imported) : 'default';
    const value = type === 'ImportNamespaceSpecifier' ? module : member(module, name);
    out.heads.push(`const ${local.name} = ${value};`);
  }
  blank(statement, out);
}

// What stands before the expression or the declaration of a default export. A comment may name default, too.
const BEFORE_DEFAULT = /^export(?:\s|\/\*[^]*?\*\/|\/\/.*)*default/;

function lowerDefault({ start, end, declaration }, out) {
  const isDeclared = /Declaration$/.test(declaration.type) && declaration.id;
  const [before] = BEFORE_DEFAULT.exec(out.code.slice(start, end));
  const after = start + before.length;
  const lines = out.code.slice(start, after).replace(/[^\n]+/g, '');
  if (isDeclared) {
    out.edits.push({ start, end: after, by: lines });
    out.feet.push(exported('default', declaration.id.name));
    return;
  }
  // As a member of an object a function without a name is called default.
  const last = out.code[end - 1] === ';' ? end - 1 : end;
  out.edits.push({ start, end: after, by: `${MODULE}.exports.default = ({ default: ${lines}` });
  out.edits.push({ start: last, end: last, by: '}).default;' });
}

function lowerNamed(statement, out) {
  const { start, declaration, specifiers, source } = statement;
  if (declaration) {
    out.edits.push({ start, end: declaration.start, by: '' });
    declared(declaration).forEach(name => out.feet.push(exported(name, name)));
    return;
  }
  const module = source ? required(source, out) : '';
  for (const { local, exported: name } of specifiers) {
    out.feet.push(exported(nameOf(name), module ? member(module, nameOf(local)) : nameOf(local)));
  }
  blank(statement, out);
}

function lowerAll(statement, out) {
  const module = required(statement.source, out);
  if (statement.exported) out.feet.push(exported(nameOf(statement.exported), module));
  else out.feet.push(`Object.assign(${MODULE}.exports, ${module});`);
  blank(statement, out);
}

// declared are the names that a declaration declares.
function declared({ type, id, declarations }) {
  if (type === 'VariableDeclaration') return declarations.reduce((names, one) => names.concat(namesIn(one.id)), []);
  return /^(?:Function|Class)Declaration$/.test(type) ? [id.name] : [];
}

function namesIn(pattern) {
  switch (pattern && pattern.type) {
    case 'Identifier': return [pattern.name];
    case 'ObjectPattern': return all(pattern.properties.map(one => one.value || one.argument));
    case 'ArrayPattern': return all(pattern.elements);
    case 'AssignmentPattern': return namesIn(pattern.left);
    case 'RestElement': return namesIn(pattern.argument);
    default: return [];
  }
}

function all(patterns) {
  return patterns.reduce((names, one) => names.concat(namesIn(one)), []);
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression', 'StaticBlock']);
const INTERESTING = new Set(['ImportExpression', 'MetaProperty', 'AwaitExpression', 'ForOfStatement']);
const { isArray } = Array;

// Whether code may have any of what lowerExpressions looks for: looking takes as long as parsing.
const MAY_HAVE = /\bimport\s*[.(]|\bawait\b/;

// lowerExpressions lowers import(), and refuses what works in no function.
function lowerExpressions(tree, out) {
  if (!MAY_HAVE.test(out.code)) return;
  const nodes = [tree];
  const withins = [false];
  while (nodes.length > 0) {
    const node = nodes.pop();
    const within = withins.pop();
    const { type } = node;
    if (INTERESTING.has(type)) lowerExpression(node, within, out);
    const inner = within || FUNCTIONS.has(type);
    for (const key in node) {
      const value = node[key];
      if (typeof value === 'object' && value !== null && key !== 'regex') {
        for (const child of isArray(value) ? value : [value]) {
          if (child !== null && typeof child === 'object') {
            nodes.push(child);
            withins.push(inner);
          }
        }
      }
    }
  }
}

// lowerExpression looks at one node; within says whether it is within a function.
function lowerExpression({ type, start, meta, await: awaits }, within, out) {
  if (type === 'ImportExpression') {
    out.edits.push({ start, end: start + 'import'.length, by: IMPORT });
  } else if (type === 'MetaProperty' && meta.name === 'import') {
    fault('import.meta is not available in functions', placeOf(start, out));
  } else if (!within && (type === 'AwaitExpression' || (type === 'ForOfStatement' && awaits))) {
    fault('await at the top level is not available in functions: await in main', placeOf(start, out));
  }
}

function placeOf(start, { code }) {
  const lines = code.slice(0, start).split('\n');
  return { line: lines.length, column: lines[lines.length - 1].length };
}

module.exports = { isRefused, lower };
