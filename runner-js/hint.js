'use strict';

// Says what to do about code that does not compile: that it is newer than this Node.js, or no JavaScript.

const acorn = require('./acorn');

const LONGEST = 256 * 1024; // characters of code that is looked at: parsing takes time of the call

const NODE = parseInt(process.versions.node, 10);

// What came when, by the version of ECMAScript that acorn knows it as. Node is the first major version that has all of
// that version.
const NEWER = [
  { version: 9, node: 10 }, { version: 10, node: 10 }, { version: 11, node: 14 }, { version: 12, node: 16 },
  { version: 13, node: 18 }, { version: 14, node: 18 }, { version: 15, node: 20 }, { version: 16, node: 24 },
  { version: 17, node: 24 },
];

// The text of each begins one character before the place where a parser of the version before gives up.
const FEATURES = [
  { version: 9, text: /^.await\b/, name: 'for await', lowered: true },
  { version: 9, text: /^.\*/, name: 'an asynchronous generator', lowered: true },
  { version: 10, text: /^.\{/, name: 'catch without a parameter', lowered: true },
  { version: 11, text: /^\?\./, name: 'optional chaining', lowered: true },
  { version: 11, text: /^\?\?/, name: 'the operator ??', lowered: true },
  { version: 11, text: /^[\da-fA-F]n/, name: 'BigInt', lowered: false },
  { version: 11, text: /^t\(/, name: 'import()', lowered: true },
  { version: 12, text: /^[?|&]=/, name: 'logical assignment', lowered: true },
  { version: 12, text: /^[\da-fA-F]_/, name: 'a separator in a number', lowered: true },
  { version: 13, text: /^.#/, name: 'a private member', lowered: true },
  { version: 13, text: /^.[=;}]/, name: 'a field of a class', lowered: true },
  { version: 13, text: /^.\{/, name: 'a static block', lowered: true },
];

const STRICT = "'use strict';"; // on a line of its own would shift the places
const OPTIONS = { allowReturnOutsideFunction: true, allowHashBang: false };

// hintOf is the hint; empty if there is none. Nothing here throws.
function hintOf(code) {
  const parser = code.length > LONGEST ? null : acorn();
  if (parser === null) return '';
  const latest = failure(parser, code, 'latest');
  if (latest === null) return newer(parser, code);
  return latest.isModule ? '' : foreign(code, latest.at);
}

// failure is where a parser of that version of ECMAScript gives up: {at, isModule}; null if it does not.
function failure({ parse }, code, ecmaVersion) {
  const failed = sourceType => attempt(() => {
    parse(STRICT + code, Object.assign({ ecmaVersion, sourceType }, OPTIONS));
    return null;
  });
  const asScript = failed('script');
  if (asScript === null || !/'sourceType: module'/.test(asScript.message)) return place(asScript, false);
  const asModule = failed('module');
  return asModule === null ? place(asScript, true) : place(asModule, false);
}

function attempt(run) {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

const place = (error, isModule) => (error === null ? null : { at: (error.pos || 0) - STRICT.length, isModule });

// newer is the hint for code that a parser of the latest version takes.
function newer(parser, code) {
  for (let i = NEWER.length - 1; i >= 0; i--) {
    const { version, node } = NEWER[i];
    const before = failure(parser, code, version - 1);
    if (before !== null) return node <= NODE ? '' : needs(featureAt(version, code, before.at), node);
  }
  return '';
}

// featureAt is what came with that version and stands at that place.
function featureAt(version, code, at) {
  const there = `${code[at - 1] || ' '}${code.slice(at, at + 16)}`;
  return FEATURES.find(feature => feature.version === version && feature.text.test(there)) ||
    { name: `JavaScript of ${version + 2009}`, lowered: false };
}

// needs says what to do about a feature. Builds of files lower most of them to what an older version has.
function needs({ name, lowered }, node) {
  const files = lowered ? ', or deploy it as "files"' : '';
  return `${name} needs Node.js ${node} or later: choose one with "runtime"${files}`;
}

// What stands before and behind the place where a parser of JavaScript gives up, in code of other languages.
const TYPE = '(?:string|number|boolean|any|unknown|never|void|object|symbol|bigint|[A-Z][\\w$.]*)\\b';
const KEYWORD = /\b(?:type|declare|abstract|namespace|private|public|protected|readonly|interface|enum)\s+$/;
const FOREIGN = [
  { name: 'TypeScript', before: /$/, behind: /^(?:interface|enum|namespace)\s+[\w$.]+/ },
  { name: 'TypeScript', before: KEYWORD, behind: /^[\w$#]/ },
  { name: 'TypeScript', before: /[\w$)\]}"'`]\s+$/, behind: /^(?:as|satisfies)\s+[\w${[('"]/ },
  { name: 'TypeScript', before: /[\w$)\]}?!]\s*$/, behind: new RegExp(`^[?!]?:\\s*${TYPE}`) },
  { name: 'TypeScript', before: /$/, behind: /^<[A-Z]\w*(?:\s+extends\s[^>]*)?>\s*\(/ },
  { name: 'JSX', before: /(?:[=(,?:>]|\breturn)\s*$/, behind: /^<(?:[A-Za-z][\w.]*[\s/>]|>)/ },
];

// foreign is the hint for code that is no JavaScript at that place.
function foreign(code, at) {
  const head = code.slice(Math.max(0, at - 64), at);
  const rest = code.slice(at, at + 256);
  const found = FOREIGN.find(({ before, behind }) => before.test(head) && behind.test(rest));
  return found ? `this is ${found.name}: deploy it as "files" in place of "code"` : '';
}

module.exports = hintOf;
