'use strict';

// Calls that the fork server makes to itself before it forks workers.

const { openSync, closeSync } = require('fs');
const { Reader } = require('./frame');
const pending = require('./pending');

// What is rehearsed: frames of calls, with the members that most have and the headers of usual clients, and functions
// that wait. V8 tells objects apart by the names of their members and the order of these. What it has not met it learns
// in the call: a worker that is put back does so in each of them.
const FRAMES = [
  frameOf(['host', 'user-agent', 'accept', 'content-type', 'content-length'], '"body":{}'), // curl
  frameOf(['host', 'user-agent', 'content-length', 'content-type', 'accept-encoding'], '"env":{},"body":{}'), // Go
  frameOf(['host', 'content-type', 'content-length'], '"body":{}'),
  frameOf(['host', 'user-agent', 'accept-encoding', 'accept', 'connection', 'content-length', 'content-type'], // Python
    '"queued":{"id":"0","attempt":1},"timeout":1,"body":{}'),
];
const WAITING = [
  'function main(req, res) { setTimeout(() => res.send({ body: req.body }), 1); }',
  'async function main(req) { await new Promise(done => setTimeout(done, 1)); return { body: req.body }; }',
];
// What is rehearsed for functions with "globals":"web", where Node.js has what web handlers need. A worker with a call
// of one serves no other, so that each of them would compile all of this itself.
const WEB_REHEARSAL = '{"type":"invoke","id":"0","kind":"run","method":"POST",' +
  '"headers":{"content-type":"application/json","content-length":"2"},"query":{},"env":{},' +
  '"http":{"scheme":"http","host":"localhost","url":"/","path":"/","ip":"127.0.0.1","body":"raw"},"raw":"e30="}';
const HANDLERS = [
  'module.exports = { async fetch(request) { return new Response(await request.text(), { status: 200 }); } };',
  "exports.fetch = async request => new Response(JSON.stringify(await request.json()), { headers: { a: 'b' } });",
];

// What is rehearsed of Intl: ICU maps files when it is first asked for a zone, its name or another language, and reads
// what it has of them. Each worker would do it by itself, and one that is put back in each call; on Node.js before
// version 13 it could not be put back after it, as the files are shared mappings. A process that is told no zone, and
// finds no /etc/localtime, as in a jail, opens every file of the zone database then (ICU, uprv_tzname): 20 to 40 ms,
// and half a second where the host is notified of system calls.
const INTL = `function main(req, res) {
  const date = new Date(0);
  const named = { timeZone: 'America/Sao_Paulo', timeZoneName: 'long' };
  res.send([date.toLocaleString(), date.toLocaleDateString('en-US'), date.toLocaleTimeString('pt-BR', named),
    (1.5).toLocaleString(), 'a'.localeCompare('b')]);
}`;

const MOST_TURNS = 1e7; // of the event loop until the timer fires: seconds, if nothing is due
const CLOSING_TURNS = 4; // after it
const CALM = 1000; // milliseconds to wait for requests of modules

// How often plain calls are rehearsed, and how often this file is read line by line. Whatever V8 has not optimized by
// then a worker that is put back runs unoptimized in each call, and writes to more pages, all of which are put back: so
// its fork server rehearses until small functions are optimized, too. With Node.js 22 and later calls write to
// hundreds of pages more after so many: these rehearse as usual.
const USUAL = { reads: 16, plays: 2200 };
const THOROUGH = parseInt(process.versions.node, 10) < 22 ? { reads: 100, plays: 12000 } : USUAL;

// frameOf is the frame of a call with headers of these names and other members.
function frameOf(headers, members) {
  const named = headers.map(name => `"${name}":""`).join(',');
  return `{"type":"invoke","id":"0","kind":"run","method":"PUT","headers":{${named}},"query":{},${members}}`;
}

// rehearse has invoker run functions of the runner's own, so that V8 compiles and optimizes the runner's code before
// workers are forked. A worker that is called now and then would take minutes to get there, and spend them compiling.
// handle takes frames, slim gives memory back, turn has the event loop call what is due, park is what comes before each
// frame. thorough says that the workers will be put back after each call.
function rehearse(invoker, handle, { slim, turn, park }, thorough) {
  const { reads, plays } = thorough ? THOROUGH : USUAL;
  const { next, retire } = invoker;
  const nothing = () => {};
  Object.assign(invoker, { next: nothing, retire: nothing });
  const play = times => playPlain(invoker, times, i => park() && handle(FRAMES[i % FRAMES.length]));
  read(reads, park);
  play(300);
  playWaiting(invoker, 8, turn); // before V8 optimizes what they have in common, for both
  play(plays);
  playHandlers(invoker, 100, turn);
  playEach(invoker, [INTL], FRAMES[0], 4, turn);
  slim();
  play(8); // touches the memory that the collection has freed; otherwise every worker would do it
  playWaiting(invoker, 4, turn); // which collections forget sooner, as it has run less
  playHandlers(invoker, 8, turn);
  calm(turn);
  Object.assign(invoker, { next, retire });
  pending.show('');
}

// calm lets the requests end that modules make by themselves, such as a client's that connects again and again: no fork
// would see their ends, and serves one call for each that is left.
function calm(turn) {
  for (const end = Date.now() + CALM; pending.requests() > 0 && Date.now() < end;) turn();
}

// read reads lines as calls are read, those of this file: what they are does not matter.
function read(times, park) {
  for (let i = 0; i < times; i++) {
    const fd = openSync(__filename, 'r');
    const reader = new Reader(fd);
    while (park() && reader.next() !== null) ;
    closeSync(fd);
  }
}

function playPlain(invoker, times, call) {
  const code = "console.log('x'); function main(req, res) { res.set('x', 'y').send({ body: req.body }); }";
  invoker.loader.load('rehearsal.js', code);
  for (let i = 0; i < times; i++) call(i);
  forget(invoker);
}

// playWaiting plays calls that wait for a timer.
function playWaiting(invoker, times, turn) {
  playEach(invoker, WAITING, FRAMES[0], times, turn);
}

// playHandlers plays calls of web handlers, in a process whose workers can have some.
function playHandlers(invoker, times, turn) {
  if (invoker.loader.handles()) playEach(invoker, HANDLERS, WEB_REHEARSAL, times, turn);
}

// playEach plays so many calls of each function with that frame, to their ends.
function playEach(invoker, functions, frame, times, turn) {
  for (const code of functions) {
    invoker.loader.load('rehearsal.js', code);
    for (let i = 0; i < times; i++) {
      invoker.start(frame);
      for (let turns = 0; invoker.call !== null; turns++) {
        if (turns === MOST_TURNS) throw new Error('a call did not end in a rehearsal');
        turn();
        invoker.drain(); // Node.js does not, as its first script has not ended
      }
      for (let turns = 0; turns < CLOSING_TURNS; turns++) turn(); // closes what a timer had open
    }
  }
  forget(invoker);
}

// forget ends a rehearsal.
function forget({ loader }) {
  loader.load('', '');
  loader.forget();
  loader.toldSpent();
}

module.exports = rehearse;
