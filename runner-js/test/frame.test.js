'use strict';

const fs = require('fs');
const path = require('path');
const test = require('tape');
const { outcome } = require('./support');

// fresh loads frame.js with its own readSync and writeSync.
function fresh(fakes) {
  const text = fs.readFileSync(path.join(__dirname, '..', 'frame.js'), 'utf8');
  const module = { exports: {} };
  const load = new Function('module', 'require', text);
  load(module, name => (name === 'fs' ? Object.assign({}, fs, fakes) : require(name)));
  return module.exports;
}

// reader reads stream in pieces whose sizes are given, over and over.
function reader(stream, sizes, limit) {
  let at = 0;
  let n = 0;
  const { Reader } = fresh({
    readSync(fd, buffer, offset, length) {
      const size = Math.min(sizes[n++ % sizes.length], length, stream.length - at);
      stream.copy(buffer, offset, at, at + size);
      at += size;
      return size;
    },
  });
  return new Reader(0, limit);
}

function linesOf(from) {
  const lines = [];
  for (let line = from.next(); line !== null; line = from.next()) lines.push(line);
  return lines;
}

test('Reader returns the lines of a stream, however it is cut', (t) => {
  const lines = ['', 'a', '', '{"é":"日本😀"}', 'x'.repeat(65535), 'y'.repeat(65536), 'z'.repeat(65537), 'é'.repeat(100000), 'last'];
  const stream = Buffer.from(`${lines.join('\n')}\n`);
  for (const sizes of [[65536], [1000], [65535, 1], [1, 7, 4096], [3], [65536, 65535]]) {
    t.ok(JSON.stringify(linesOf(reader(stream, sizes))) === JSON.stringify(lines), `in pieces of ${sizes}`);
  }
  const short = Buffer.from('a\n\né😀\n');
  t.deepEqual(linesOf(reader(short, [1])), ['a', '', 'é😀'], 'byte by byte');
  t.end();
});

test('Reader keeps its room for long lines while they follow each other', (t) => {
  const lines = ['x'.repeat(300000), 'y'.repeat(200000), 'Y'.repeat(310000), 'short', 'z'.repeat(5000000), 'last'];
  const r = reader(Buffer.from(`${lines.join('\n')}\n`), [65536]);
  const room = lines.map((line) => {
    t.ok(r.next() === line, `a line of ${line.length} bytes`);
    return r.long;
  });
  t.ok(room[0] !== null && room[0] === room[1], 'one buffer for lines that it has room for');
  t.ok(room[2] !== null && room[2] !== room[0], 'another one for a longer line');
  t.deepEqual(room.slice(3), [null, null, null], 'none after a short line, nor after one that is too long to keep as much');
  t.end();
});

test('Reader does not take an old newline in its buffer for a new one', (t) => {
  const stream = Buffer.from('a\nb\nc\nlong line\nd\n');
  t.deepEqual(linesOf(reader(stream, [6, 4, 5, 3])), ['a', 'b', 'c', 'long line', 'd']);
  t.end();
});

test('Reader ends at the end of its stream', (t) => {
  t.deepEqual(linesOf(reader(Buffer.from(''), [10])), [], 'an empty one');
  t.deepEqual(linesOf(reader(Buffer.from('a\nhalf a li'), [10])), ['a'], 'in the middle of a line, which is dropped');
  t.end();
});

test('Reader keeps to its limit', (t) => {
  const line = n => Buffer.from(`${'x'.repeat(n)}\n`);
  for (const [limit, n] of [[10, 10], [0, 0], [65536, 65536], [200000, 200000]]) {
    t.equal(reader(line(n), [65536], limit || undefined).next().length, n, `${n} bytes, limit ${limit}`);
  }
  for (const [limit, n] of [[10, 11], [65536, 65537], [100000, 300000]]) {
    for (const size of [1000, 65536]) {
      t.throws(() => reader(line(n), [size], limit).next(), /larger than \d+ bytes/, `${n} bytes in pieces of ${size}, limit ${limit}`);
    }
  }
  let read = 0;
  const { Reader } = fresh({ readSync(fd, buffer) { read += buffer.fill('x').length; return buffer.length; } });
  t.throws(() => new Reader(0, 100000).next(), /larger than/, 'a line without end');
  t.ok(read < 300000, 'which is not read on');
  t.end();
});

test('write writes texts of every length and script', (t) => {
  const out = [];
  let most = 0;
  const { write } = fresh({
    writeSync(fd, buffer, offset, length) {
      out.push(Buffer.from(buffer.slice(offset, offset + length)));
      most = Math.max(most, length);
      return length;
    },
  });
  const near = [0, 21 * 1024, 64 * 1024, 128 * 1024, 300000];
  for (const filler of ['a', 'é', '日', '😀', '\ud83d', '\ude00']) {
    for (const n of near) {
      for (const more of [-5, -1, 0, 1, 3]) {
        // One other character at the front or at the end moves the places where pieces end.
        for (const text of [filler.repeat(n / filler.length) + 'b'.repeat(n === 0 ? 1 : 6 + more), `${'b'.repeat(6 + more)}${filler.repeat(n / filler.length)}`,
          `${'b'.repeat(n)}${filler}`]) {
          out.length = 0;
          write(1, text);
          if (!Buffer.concat(out).equals(Buffer.from(text))) t.fail(`${n} of ${JSON.stringify(filler)}, ${more}`);
        }
      }
    }
  }
  t.ok(most <= 64 * 1024, `at most 64 kB at a time, ${most}`);
  t.end();
});

test('Reader and write go on after a signal', (t) => {
  const interrupted = () => Object.assign(new Error('EINTR'), { code: 'EINTR' });
  let signals = 3;
  const { Reader } = fresh({
    readSync(fd, buffer) {
      if (signals-- > 0) throw interrupted();
      return buffer.write('a\n');
    },
  });
  t.equal(new Reader(0).next(), 'a');
  let written = '';
  const { write } = fresh({
    writeSync(fd, buffer, offset, length) {
      if (written.length % 2 === 0 && signals++ < 5) throw interrupted();
      const n = Math.min(3, length);
      written += buffer.toString('latin1', offset, offset + n);
      return n;
    },
  });
  write(1, 'hello, world\n');
  t.equal(written, 'hello, world\n', 'and after a short write');
  t.end();
});

test('Reader and write wait for a descriptor that is not ready', (t) => {
  const busy = () => Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
  let tries = 3;
  const { Reader, write } = fresh({
    readSync(fd, buffer) {
      if (tries-- > 0) throw busy();
      return buffer.write('a\n');
    },
    writeSync(fd, buffer, offset, length) {
      if (tries++ < 3) throw busy();
      return length;
    },
  });
  t.equal(new Reader(0).next(), 'a');
  write(1, 'hello, world\n');
  t.equal(tries, 4, 'and goes on');
  t.end();
});

test('an answer larger than a pipe arrives, though a module has made the pipe non-blocking', async (t) => {
  const code = `const net = require('net');
    function main(req, res) { new net.Socket({ fd: 1, readable: false, writable: true }); res.send('x'.repeat(4e6)) }`;
  const { answer } = await outcome(code, {}, { modules: ['net'] });
  t.equal(answer.type, 'result');
  t.equal(answer.body.length, 4e6);
});

test('other errors of reading and writing are thrown', (t) => {
  const broken = () => { throw Object.assign(new Error('EIO'), { code: 'EIO' }); };
  const { Reader, write } = fresh({ readSync: broken, writeSync: broken });
  t.throws(() => new Reader(0).next(), /EIO/);
  t.throws(() => write(1, 'x\n'), /EIO/);
  t.end();
});
