//go:build linux

package sandbox_test

import (
	"strconv"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// A worker has one directory that it can write to, and nothing of it reaches anybody else or the next call.
var tmpPromises = []promise{
	{name: "files can be made, copied, renamed and removed in it", insider: true, code: `
		const fs = inside.require('fs');
		function main(req, res) {
			const path = inside.require('os').tmpdir(), before = fs.readdirSync(path), dir = fs.mkdtempSync(path + '/x');
			fs.writeFileSync(dir + '/a', 'abc'); fs.copyFileSync(dir + '/a', dir + '/c'); fs.renameSync(dir + '/c', dir + '/b');
			fs.fsyncSync(fs.openSync(dir + '/b', 'r+')); fs.chmodSync(dir + '/b', 0o600); fs.unlinkSync(dir + '/a');
			const made = fs.readdirSync(dir), text = fs.readFileSync(dir + '/b', 'utf8');
			fs.unlinkSync(dir + '/b'); fs.rmdirSync(dir); res.send([path, before, made, text, fs.readdirSync(path)]);
		}`, want: `["/tmp",[],["b"],"abc",[]]`},
	{name: "it holds no more than its size", insider: true, want: `["ENOSPC",true]`, code: filling(
		`const fd = fs.openSync('/tmp/x', 'w'), room = Buffer.alloc(1 << 20);`, `fs.writeSync(fd, room)`, 15, 16)},
	{name: "it holds no more than a thousand files", insider: true, want: `["ENOSPC",true]`, code: filling(
		``, `fs.closeSync(fs.openSync('/tmp/' + n, 'w'))`, 1000, 1024)},
	{
		name: "what is in it counts as memory", insider: true, death: "memory_limit", code: filling(
			`const fd = fs.openSync('/tmp/x', 'w'), room = Buffer.alloc(1 << 20);`, `fs.writeSync(fd, room)`, 0, 0),
		change: func(c *sandbox.Config) { c.Limits.Memory, c.Limits.Tmp = 64<<20, 256<<20 },
	},
	{name: "no file in it is larger", insider: true, want: `["EFBIG"]`, code: writing(
		`[() => fs.ftruncateSync(fs.openSync('/tmp/x', 'w'), 1 << 30)]`)},
	{name: "nothing in it can be run or loaded", insider: true, want: `["-1","refused"]`, code: writing(
		`[() => { fs.copyFileSync('/runner/build/loop.node', '/tmp/x');
			try { inside.powers.dlopen({ exports: {} }, '/tmp/x') } catch (e) {
				return /map|permitted/.test(e.message) ? 'refused' : e.message
			} },
			() => inside.native.call(9, 0, 4096, 5, 2, fs.openSync('/tmp/x', 'r'), 0)]`)},
	{name: "there are no links, pipes, devices and owners in it", insider: true, want: `["-1","EPERM"]`, code: writing(
		`[() => fs.writeFileSync('/tmp/x', '') || fs.symlinkSync('/', '/tmp/y'), () => fs.linkSync('/tmp/x', '/tmp/y'),
			() => fs.chownSync('/tmp/x', 0, 0), () => inside.native.call(133, Buffer.from('/tmp/pipe\0'), 0o10666),
			() => inside.native.call(133, Buffer.from('/tmp/kmem\0'), 0o20666, 0x102)]`)},
	{
		name: "a file is not there for the next call", insider: true, want: `1`, then: emptyTmp,
		code: leaving(`fs.writeFileSync('/tmp/x', 'x')`),
	},
	{
		name: "a directory is not there for the next call", insider: true, want: `1`, then: emptyTmp,
		code: leaving(`fs.mkdirSync('/tmp/x')`),
	},
	{
		name: "a file that was removed and is open is not there for the next call", insider: true, want: `1`, then: emptyTmp,
		code: leaving(`fs.writeSync(fs.openSync('/tmp/x', 'w'), 'x'); fs.unlinkSync('/tmp/x')`),
	},
	{
		name: "its times are not there for the next call", insider: true, want: `1`, then: emptyTmp,
		code: leaving(`fs.utimesSync('/tmp', 1, 1)`),
	},
	{
		name: "its mode is not there for the next call", insider: true, want: `1`, then: emptyTmp,
		code: leaving(`fs.chmodSync('/tmp', 0o777)`),
	},
	{
		name: "a file made by native code is not there for the next call", insider: true, want: `1`, then: emptyTmp,
		code: leaving(`inside.native.call(2, Buffer.from('/tmp/x\0'), 0o101, 0o600)`),
	},
}

// emptyTmp is what leaving answers the next call when nothing is left.
const emptyTmp = `{"names":[],"mode":"700","times":true,"open":[]}`

// leaving does something to /tmp in a first call and looks what the next one finds.
func leaving(what string) string {
	return `const fs = inside.require('fs');
		function main(req, res) {
			if (req.body !== 'next') { ` + what + `; res.send(1); return }
			const { mode, mtime, atime } = fs.statSync('/tmp'), open = [];
			for (let fd = 3; fd < 256; fd++) {
				try { if (fs.fstatSync(fd).isFile() && fs.fstatSync(fd).size > 0) open.push(fd) } catch (e) {}
			}
			const times = mtime > 1e12 && atime > 1e12;
			res.send({ names: fs.readdirSync('/tmp'), mode: (mode & 0o777).toString(8), times, open });
		}`
}

// filling does something until it fails, and answers with the error and whether it went well so often.
func filling(first, again string, least, most int) string {
	bounds := strconv.Itoa(least) + ` <= n && n <= ` + strconv.Itoa(most)
	return `const fs = inside.require('fs');
		function main(req, res) { let n = 0; ` + first + `
			try { for (;; n++) ` + again + ` } catch (e) { res.send([e.code, ` + bounds + `]) } }`
}

func TestPromiseTmp(t *testing.T) { keep(t, tmpPromises) }

// tmpOf answers with what is in /tmp before and after the function's own file is there.
const tmpOf = `const fs = require('fs');
	function main(req, res) {
		const before = fs.readdirSync('/tmp');
		if (req.body.write) fs.writeFileSync('/tmp/' + req.body.write, 'x');
		res.send([before, fs.readdirSync('/tmp')]);
	}`

// TestEachWorkerHasATmpOfItsOwn calls two functions whose workers live at the same time, forked and started directly.
func TestEachWorkerHasATmpOfItsOwn(t *testing.T) {
	forked := func(*sandbox.Config) {}
	for name, change := range map[string]func(*sandbox.Config){"forked": forked, "directly": directlyInJails(t)} {
		t.Run(name, func(t *testing.T) {
			pool := newRealPool(t, func(c *sandbox.Config) { change(c); c.Modules = []string{"fs"} })
			held, release := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(held)
				inv := invocation("one", `const fs = require('fs');
					async function main(req, res) {
						fs.writeFileSync('/tmp/ones', 'x'); console.log('written');
						await new Promise(resolve => setTimeout(resolve, 1e3)); res.send(fs.readdirSync('/tmp'));
					}`)
				inv.OnLog = func(sandbox.LogLine) { close(release) }
				result, err := pool.Invoke(t.Context(), inv)
				if err != nil || string(result.Body) != `["ones"]` {
					t.Errorf("the one got %s, %v", bodyOf(result), err)
				}
			}()
			<-release
			for range 2 {
				inv := invocation("other", tmpOf)
				inv.Request.Body = []byte(`{"write":"others"}`)
				result, err := pool.Invoke(t.Context(), inv)
				if err != nil || string(result.Body) != `[[],["others"]]` {
					t.Errorf("the other got %s, %v", bodyOf(result), err)
				}
			}
			<-held
		})
	}
}

// TestAWorkerWhoseTmpWasOnlyReadIsUsedAgain and one that has none, too.
func TestAWorkerWhoseTmpWasOnlyReadIsUsedAgain(t *testing.T) {
	for name, size := range map[string]int64{"16 MiB": 16 << 20, "none": 0} {
		pool := newRealPool(t, func(c *sandbox.Config) { one(c); c.Modules, c.Limits.Tmp = []string{"fs"}, size })
		code := `const fs = require('fs');
			function main(req, res) { try { fs.statSync('/tmp'); fs.readdirSync('/tmp') } catch (e) {} res.send(1) }`
		for i := range 3 {
			if start := invoke(t, pool, name, code, "1"); (start == sandbox.StartWarm) != (i > 0) {
				t.Errorf("%s: call %d got its worker %s", name, i, start)
			}
		}
	}
}
