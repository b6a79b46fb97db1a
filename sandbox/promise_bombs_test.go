//go:build linux

package sandbox_test

import (
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// shortly lets an attack that nothing else ends meet the deadline of its answer.
func shortly(c *sandbox.Config) {
	c.SyncTimeout, c.AsyncTimeout = patience, time.Second
}

// soon lets the deadline of main be met before the other one, however busy the machine is.
func soon(c *sandbox.Config) {
	c.SyncTimeout, c.AsyncTimeout = 300*time.Millisecond, patience
}

// patiently lets memory limits be met before a deadline.
func patiently(c *sandbox.Config) {
	c.SyncTimeout, c.AsyncTimeout = patience, patience
	c.Limits.Memory = 96 << 20
}

// roomily lets the limit of a frame be met before that of memory.
func roomily(c *sandbox.Config) {
	patiently(c)
	c.Limits.Memory = 256 << 20
}

// Whatever a call devours, it ends alone, soon, and with its reason.
var bombPromises = []promise{
	{name: "a loop at the top level", death: "sync_deadline", change: soon, code: `for (;;) {} function main() {}`},
	{name: "a loop in main", death: "sync_deadline", change: soon, code: `function main() { for (;;) {} }`},
	{
		name: "a loop after an await", death: "sync_deadline", change: soon,
		code: `async function main() { await 1; for (;;) {} }`,
	},
	{
		name: "a loop in a timer", death: "deadline", change: shortly,
		code: `function main() { setTimeout(() => { for (;;) {} }, 1) }`,
	},
	{
		name: "a loop in a getter of the answer", death: "deadline", change: shortly,
		code: `function main(req, res) { res.send({ get a() { for (;;) {} } }) }`,
	},
	{
		name: "a loop in the text of a thrown error", death: "sync_deadline", change: soon,
		code: `function main() { throw { toString() { for (;;) {} } } }`,
	},
	{
		name: "a loop in a thenable", death: "sync_deadline", change: soon,
		code: `function main() { return { get then() { for (;;) {} } } }`,
	},
	{
		name: "promises without end", death: "sync_deadline", change: soon,
		code: `function main() { (function again() { Promise.resolve().then(again) })() }`,
	},
	{
		name: "ticks without end", insider: true, death: "sync_deadline", change: soon,
		code: `function main() { (function again() { inside.process.nextTick(again) })() }`,
	},
	{
		name: "timers that breed", death: "deadline", change: shortly,
		code: `function main() { (function again() { setTimeout(again, 0);
			if (Math.random() < 0.01) setTimeout(again, 0) })() }`,
	},
	{
		name: "a regular expression that backtracks without end", death: "sync_deadline", change: soon,
		code: `function main(req, res) { res.send(/^(a+)+$/.test('a'.repeat(50) + 'b')) }`,
	},
	{
		name: "a sort that never agrees", death: "sync_deadline", change: soon,
		code: `function main(req, res) { const a = new Array(1e5).fill(0).map(Math.random);
			for (;;) a.sort(() => Math.random() - 0.5) }`,
	},
	{
		name: "an iterator without end", death: "sync_deadline", change: soon,
		code: `function main() { for (const x of { *[Symbol.iterator]() { for (;;) yield 1 } }) {} }`,
	},
	{
		name: "sleep on shared memory", death: "deadline", change: shortly,
		code: `function main(req, res) { res.send(Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)) }`,
	},
	{name: "no answer at all", death: "deadline", change: shortly, code: `function main() {}`},
	{
		name: "a promise that never settles", death: "deadline", change: shortly,
		code: `function main() { return new Promise(() => {}) }`,
	},
	{
		name: "a read that never returns", insider: true, death: "deadline", change: shortly,
		code: `function main() { inside.require('fs').readSync(0, Buffer.alloc(1), 0, 1) }`,
	},

	{
		name: "objects on the heap", death: "heap_limit", change: patiently,
		code: `function main() { const all = []; for (;;) all.push({ a: [1, 2, 3] }) }`,
	},
	// V8 may need more memory to follow the chain than it has for objects.
	{
		name: "closures on the heap", death: "heap_limit", or: "memory_limit", change: patiently,
		code: `function main() { let last = null; for (;;) { const before = last; last = () => before } }`,
	},
	{
		name: "buffers off the heap", death: "memory_limit", change: patiently,
		code: `function main() { const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1)) }`,
	},
	{
		name: "array buffers", death: "memory_limit", change: patiently,
		code: `function main() { const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)) }`,
	},
	{
		name: "shared array buffers", death: "memory_limit", change: patiently,
		code: `function main() { const all = []; for (;;) all.push(new Uint8Array(new SharedArrayBuffer(1 << 20)).fill(1)) }`,
	},
	{
		name: "webassembly memory", death: "memory_limit", change: patiently,
		code: `function main() { const m = new WebAssembly.Memory({ initial: 1, maximum: 4096 }); for (;;) { m.grow(16);
			new Uint8Array(m.buffer).fill(1) } }`,
	},
	{name: "anonymous maps of native code", insider: true, death: "memory_limit", change: patiently, code: `
		function main() { for (;;) { const a = inside.native.call(9, 0, 1 << 24, 3, 0x8022, -1, 0); } }`},
	{name: "an array too long to be", fails: "Invalid array length", code: `function main() { return new Array(-1) }`},
	{
		name: "a string too long to be", fails: "Invalid string length",
		code: `function main() { return 'x'.repeat(2 ** 30 - 1) }`,
	},
	{name: "recursion without end", fails: "Maximum call stack", code: `function main() { return main() }`},
	{
		name: "an answer that contains itself", fails: "circular",
		code: `function main(req, res) { const a = {}; a.a = a; res.send(a) }`,
	},
	{
		name: "an answer too deep to be written", fails: "Maximum call stack",
		code: `function main(req, res) { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; res.send(a) }`,
	},

	{
		name: "an answer too large", death: "output_limit", change: patiently,
		code: `function main(req, res) { res.send('x'.repeat(9 << 20)) }`,
	},
	{
		name: "headers too large", fails: "more than 65536 bytes", change: patiently,
		code: `function main(req, res) { res.set('x', 'y'.repeat(9 << 20)).send(1) }`,
	},
	{
		name: "an error too large", death: "output_limit", change: roomily,
		code: `function main() { throw new Error('x'.repeat(9 << 20)) }`,
	},
	{
		name: "logs without end", death: "sync_deadline", change: soon,
		code: `function main() { for (;;) console.log('x'.repeat(1000)) }`,
	},
	{
		name: "logs over the limit are cut", want: `"logged"`,
		code: `function main(req, res) { for (let i = 0; i < 1000; i++) console.log('x'.repeat(1000)); res.send('logged') }`,
	},
	{
		name: "a log line larger than a frame", want: `"logged"`, change: patiently,
		code: `function main(req, res) { console.log('x'.repeat(9 << 20)); res.send('logged') }`,
	},
	{
		name: "a flood on stderr stops only the one who floods", insider: true, death: "deadline", change: shortly,
		code: `function main() { for (;;) inside.require('fs').writeSync(2, 'x'.repeat(1000)) }`,
	},
	{
		name: "10,000 timers", want: `"started"`, change: patiently,
		code: `function main(req, res) {
			for (let i = 0; i < 1e4; i++) setTimeout(() => {}, 1e6);
			res.send('started') }`,
	},
	{name: "no disk can be filled", insider: true, code: `
		function main(req, res) { const fs = inside.require('fs');
			res.send(['/', '/runner', '/dev', '/lib', '/usr/bin'].map(d => inside.tell(() => {
			const fd = fs.openSync(d + '/x', 'w');
			return fs.writeSync(fd, Buffer.alloc(1 << 20)) })).filter(r => r !== 'EROFS')) }`, want: `[]`},
	{name: "pipes use up descriptors only", insider: true, code: `
		function main(req, res) { let n = 0; const b = Buffer.alloc(8); while (inside.native.call(293, b, 0) === 0) n++;
			res.send([n > 50, n < 128]) }`, want: `[true,true]`},
}

func TestPromiseBombs(t *testing.T) { keep(t, bombPromises) }
