'use strict';

// The head of an invoke frame: what the runner reads of it itself. The rest is parsed in the realm.

// What the frame has before and between its first members, in the order in which the host writes them.
const BEFORE_ID = '{"type":"invoke","id":';
const BEFORE_KIND = ',"kind":"';
const BEFORE_BEHIND = ',"behind":';

const KINDS = ['run', 'check', 'compile', 'prepare', 'warmup'];

const { apply } = Reflect;
const { slice, indexOf, startsWith } = String.prototype;

// headOf reads the first members of an invoke frame: the ID as it is written, the kind, and how many calls follow in
// the batch. A regular expression would take half a microsecond, and leave the frame where a function can read it.
function headOf(line) {
  const idEnd = apply(indexOf, line, ['"', BEFORE_ID.length + 1]) + 1;
  const kindStart = idEnd + BEFORE_KIND.length;
  const kindEnd = apply(indexOf, line, ['"', kindStart]);
  const batched = apply(startsWith, line, [BEFORE_BEHIND, kindEnd + 1]);
  const behindStart = kindEnd + 1 + BEFORE_BEHIND.length;
  return {
    id: apply(slice, line, [BEFORE_ID.length, idEnd]),
    kind: apply(slice, line, [kindStart, kindEnd]),
    behind: batched ? parseInt(apply(slice, line, [behindStart, behindStart + 4]), 10) : 0,
  };
}

// isKind is indexOf by hand: a function may replace that.
function isKind(kind) {
  for (let i = 0; i < KINDS.length; i++) {
    if (KINDS[i] === kind) return true;
  }
  return false;
}

module.exports = { headOf, isKind };
