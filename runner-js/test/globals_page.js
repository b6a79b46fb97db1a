'use strict';

// Writes docs/globals.md from the tables that the runner goes by. Run by itself it prints the page: make docs.

const { TABLE, NEVER } = require('../globals');
const { PLAIN, NETWORK, OWN, STAND_INS } = require('../builtins');

const code = names => names.map(name => `\`${name}\``).join(', ');

// filled breaks text into lines of at most 120 characters.
function filled(text) {
  return text.split(' ').reduce((lines, word) => {
    const last = lines[lines.length - 1];
    if (last !== undefined && last.length + 1 + word.length <= 120) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
    return lines;
  }, []).join('\n');
}

const ORIGIN = { realm: 'made for each call', node: 'of Node.js' };

const rows = TABLE.map(({ names, origin, old, safe }) => `| ${code(names)} | ${old ? 'yes' : '–'} | yes | ${ORIGIN[origin]} | ${safe} |`);

module.exports = `# Globals and modules of Node.js

<!-- Generated from runner-js/globals.js and runner-js/builtins.js: run make docs. -->

A function finds the names of the contract (\`Backstage\`, \`Buffer\`, \`console\`, \`exports\`, \`module\`, \`require\`,
\`relativeRequire\`, \`setTimeout\`, \`clearTimeout\`, \`setInterval\` and the errors), the language, and \`fetch\` where
Node.js has it. With \`"globals":"web"\` in its PUT it finds these, too, and so it does if the PUT leaves \`globals\` out
and names a \`runtime\` of Node.js 18 or later. Otherwise a function that is stored without \`globals\` keeps what it had.

## Globals

| Names | Node.js 8 | 18 and later | Object | Between calls |
|---|---|---|---|---|
${rows.join('\n')}

“Its worker serves no other call” means: once a call has used the name, its worker ends with that call, and the next
call gets a new one ([why](decisions/0023-web-globals-are-those-of-node.md)). What a function does not use costs its
calls nothing. What a call assigns to one of these names, and what it adds to the global object, is there for that call
alone; with \`"init":"once"\` what it adds stays for later calls of the function in that process, which there are only
as long as none has used an object of Node.js.

Objects of Node.js are instances of the classes of functions: \`bytes instanceof Uint8Array\` and
\`promise instanceof Promise\` are true for what these names return.

\`process\` has \`env\` (a copy of \`Backstage.env\`), \`nextTick\`, \`version\`, \`versions\`, \`platform\`, \`arch\`, \`hrtime\`,
\`uptime\`, \`cwd()\` (\`/\`), \`argv\` (empty), \`stdout\` and \`stderr\`, \`emitWarning\`, and methods for listeners that are
never called. \`process.exit\` throws.

\`process.stdout\` and \`process.stderr\` print to the output, line by line; an unfinished line is printed at the end of the
call. They are made for each call and have what a \`stream.Writable\` has: callbacks, encodings, events, and streams of
Node.js pipe into them. They are no instances of that class, \`end\` and \`destroy\` do not close them, and \`write\` never
asks to wait.

${filled(`Not there, on any version: ${code(NEVER)}.`)}

## Modules

\`require\` gives these without a list of the operator, also as \`node:…\`, where the version of Node.js has them:

| Modules | When | Between calls |
|---|---|---|
| ${code(PLAIN)} | always | its worker serves no other call, as above |
| ${code(NETWORK)} | with [egress](egress.md) | the same; all connections go through the server |
| ${code(OWN)} | always | made for each call: its \`console\`, the harmless \`process\`, and \`performance\` alone |
| ${code(STAND_INS)} | always, as stand-ins | made for each call: libraries load with them; \`os\` says nothing of the machine, and what reaches out of the process throws |

No other module of Node.js is there unless \`DEFAULT_GLOBAL_MODULES\` lists it. A module of that list comes first.
`;

if (require.main === module) process.stdout.write(module.exports);
