//go:build linux

package sandbox_test

import "testing"

// A worker has no children and no hold on any other process.
var processPromises = []promise{
	{name: "no program can be run", insider: true, code: `
		const cp = inside.require('child_process');
		function main(req, res) { res.send([cp.spawnSync('/usr/bin/node', ['-e', '0']).error.code, inside.tell(() => cp.execSync('true').length)]) }`, want: `["EPERM","EPERM"]`},
	{name: "no child can be forked", insider: true, code: `
		function main(req, res) { res.send([57, 58].map(n => inside.native.call(n)).concat(inside.native.call(56, 17), inside.native.call(56, 0x100 | 17), inside.native.call(435, Buffer.alloc(88), 88))) }`, want: `[-1,-1,-1,-1,-38]`},
	{name: "a bomb of forks makes none", insider: true, code: `
		function main(req, res) { let born = 0; for (let i = 0; i < 20000; i++) if (inside.native.call(57) >= 0) born++; res.send(born) }`, want: `0`},
	{name: "a bomb of threads ends at the limit", insider: true, code: `
		function main(req, res) { const n = inside.native.threads(1000); res.send(n > 5 && n < 32) }`, want: `true`},
	{name: "an exec ends the worker", insider: true, death: "refused_syscall", code: `
		function main(req, res) { res.send(inside.native.call(59, Buffer.from('/usr/bin/node\0'), 0, 0)) }`},
	{name: "no process can be signalled, not even one's own", insider: true, code: `
		function main(req, res) { res.send(Array.from(new Set([0, -1, 1, 2, 3, inside.process.pid, -inside.process.pid].map(pid => inside.native.call(62, pid, 9))))) }`, want: `[-1]`},
	{
		name: "no thread and no pidfd can be signalled", insider: true, code: `
		function main(req, res) { res.send([inside.native.call(200, 1, 9), inside.native.call(234, 1, 1, 9), inside.native.call(129, 1, 9, 0), inside.native.call(297, 1, 1, 9, 0), inside.native.call(434, 1, 0), inside.native.call(424, 0, 9, 0, 0)]) }`,
		want: `[-1,-1,-1,-1,-1,-1]`,
	},
	{name: "no inspector can be opened in another process", insider: true, code: `
		function main(req, res) { res.send(inside.tell(() => inside.powers._debugProcess(1))) }`, want: `"EPERM"`},
	{name: "no inspector can be opened in one's own", insider: true, code: `
		function main(req, res) { const inspector = inside.tell(() => { const i = inside.process.binding('inspector'); return typeof i.url === 'function' ? String(i.url()) : 'none' }); res.send(String(inspector).slice(0, 5) !== 'ws://') }`, want: `true`},
	{
		name: "no other user can be become", insider: true, code: `
		function main(req, res) { res.send([inside.tell(() => inside.powers.setuid(0)), inside.tell(() => inside.powers.setgid(0)), inside.tell(() => inside.powers.setgroups([0])), inside.native.call(117, 0, 0, 0)]) }`,
		want: `["EPERM","EPERM","EPERM",-1]`,
	},
	{
		name: "no priority, affinity or clock can be set", insider: true, code: `
		function main(req, res) { const b = Buffer.alloc(64); res.send([inside.native.call(141, 0, 0, -20), inside.native.call(203, 0, 8, b), inside.native.call(144, 0, 1, b), inside.native.call(227, 0, b), inside.native.call(314, 0, b, 0), inside.native.call(251, 1, 0, 0)]) }`,
		want: `[-1,-1,-1,-1,-1,-1]`,
	},
	{name: "an exit is a death with its code", insider: true, death: "exit", code: `function main(req, res) { inside.native.call(231, 7) }`},
	{name: "an end of the runner's own is a death with its code", insider: true, death: "exit", code: `function main(req, res) { inside.require('/runner/frame.js').exit(7) }`},
	{name: "an abort is a death by signal", insider: true, death: "signal", code: `function main(req, res) { inside.powers.abort() }`},
	{name: "a broken pointer is a death by signal", insider: true, death: "signal", code: `function main() { inside.native.crash() }`},
}

func TestPromiseProcesses(t *testing.T) { keep(t, processPromises) }
