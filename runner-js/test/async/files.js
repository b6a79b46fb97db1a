'use strict';

// What of fs and fs/promises is at work when it has returned. Paths do not exist and descriptors are not open: the answer comes later all the same.

const none = '/nonexistent/x';
const shut = 1e6; // a descriptor that is not open
const ignore = () => {};
const buffer = Buffer.alloc(1);

// The arguments before the callback.
const CALLED = {
  access: [none], exists: [none], readFile: [none], close: [shut], open: [none, 'r'], read: [shut, buffer, 0, 1, 0], write: [shut, buffer, 0, 1, 0],
  readv: [shut, [buffer], 0], writev: [shut, [buffer], 0], rename: [none, none], truncate: [none, 0], ftruncate: [shut, 0], rmdir: [none],
  fdatasync: [shut], fsync: [shut], mkdir: [none], readdir: [none], fstat: [shut], lstat: [none], stat: [none], statfs: [none], readlink: [none],
  symlink: [none, none], link: [none, none], unlink: [none], fchmod: [shut, 0], chmod: [none, 0], fchown: [shut, 0, 0], chown: [none, 0, 0],
  lchown: [none, 0, 0], lchmod: [none, 0], utimes: [none, 0, 0], futimes: [shut, 0, 0], lutimes: [none, 0, 0], writeFile: [none, 'x'],
  appendFile: [none, 'x'], realpath: [none], mkdtemp: [none], copyFile: [none, none], cp: [none, none], glob: [`${none}*`], rm: [none], opendir: ['/'],
};

const fs = {
  watch: (m) => { const w = m.watch('/', ignore); if (w.unref) w.unref(); return () => w.close(); },
  openAsBlob: (m) => { m.openAsBlob(__filename).then(blob => blob.text()); },
  Utf8Stream: (m) => { const s = new m.Utf8Stream({ dest: '/dev/null', sync: false }); s.write('x'); return () => s.end(); },
};
for (const name of Object.keys(CALLED)) fs[name] = (m) => { m[name](...CALLED[name], ignore); };
for (const name of ['createReadStream', 'ReadStream', 'FileReadStream']) fs[name] = (m) => { m[name](none).on('error', ignore).resume(); };
for (const name of ['createWriteStream', 'WriteStream', 'FileWriteStream']) fs[name] = (m) => { m[name](none).on('error', ignore); };

const promises = {
  glob: (m) => { m.glob(`${none}*`).next().catch(ignore); },
  watch: (m) => {
    const stop = new AbortController();
    m.watch('/', { persistent: false, signal: stop.signal }).next().catch(ignore);
    return () => stop.abort();
  },
  mkdtempDisposable: (m) => { m.mkdtempDisposable(none).catch(ignore); },
};
for (const name of Object.keys(CALLED).filter(known => !promises[known] && known !== 'lchmod')) promises[name] = (m) => { m[name](...CALLED[name]).catch(ignore); };

module.exports = { fs, 'fs/promises': promises };
