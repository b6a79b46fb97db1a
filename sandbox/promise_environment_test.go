//go:build linux

package sandbox_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Whoever is out of the language learns nothing of the host and holds nothing of the server.
var environmentPromises = []promise{
	{name: "the environment is empty", insider: true, code: `function main(req, res) { res.send(Object.keys(inside.process.env)) }`, want: `[]`},
	{name: "the host's name is hidden", insider: true, code: `function main(req, res) { res.send(inside.require('os').hostname()) }`, want: `"worker"`},
	{
		name: "there are no accounts", insider: true,
		code: `function main(req, res) { const fault = {}; res.send(inside.tell(() => { const user = inside.powers.binding('os').getUserInfo({}, fault); return fault.code || user })) }`, want: `"ENOENT"`,
	},
	{
		name: "there are no network interfaces to see", insider: true,
		code: `function main(req, res) { const fault = {}; res.send(String(inside.tell(() => { const all = inside.powers.binding('os').getInterfaceAddresses(fault); return fault.code || all })).replace('Unknown system error 1', 'EPERM')) }`,
		want: `"EPERM"`,
	},
	{
		name: "the arguments hold no path of the host", insider: true,
		code: `function main(req, res) { res.send([inside.process.argv, inside.process.execPath, inside.main]) }`,
		want: `[["node","/runner/main.js","zygote"],"node","/runner/main.js"]`,
	},
	{
		name: "the process IDs are of a small world of their own", insider: true,
		code: `function main(req, res) { res.send([inside.process.pid > 1 && inside.process.pid < 1000, inside.native.call(110)]) }`, want: `[true,1]`,
	},
	{
		name: "the user and group are nobody's", insider: true,
		code: `function main(req, res) { const p = [102, 107, 104, 108].map(n => inside.native.call(n)); res.send([p.every(id => id >= 1000), new Set(p).size]) }`, want: `[true,1]`,
	},
	{name: "there are no keys", insider: true, death: "refused_syscall", code: `function main(req, res) { res.send(inside.native.call(250, 0, -3)) }`},
	{name: "memory that was freed shows nothing", insider: true, code: `
		function main(req, res) { let dirty = 0; for (let i = 0; i < 200; i++) for (const b of Buffer.allocUnsafe(4096)) dirty |= b; res.send([dirty, Buffer.from('a').buffer.byteLength]) }`, want: `[0,1]`},
	{name: "no require loads an internal module of Node.js", insider: true, want: `["fs"]`, code: `
		const Module = inside.require('module'), here = new Module('/runner/x.js');
		const ways = [inside.require, Module._load, inside.require('module').prototype.require.bind(here), name => here.constructor._load(name, here, true)]
			.concat(Module.createRequire ? Module.createRequire('/runner/x.js') : []);
		const names = ['internal/timers', 'internal/test/binding', 'internal/util', 'internal/module', 'internal/errors', 'internal/bootstrap/realm', 'internal/bootstrap/loaders',
			'internal/bootstrap_node', 'internal/process', 'internal/modules/helpers', 'internal/modules/cjs/loader', 'internal/options', 'native_module', 'fs'];
		function main(req, res) {
			const loads = (way, name) => { try { return way(name) !== undefined } catch (e) { return false } };
			res.send(names.filter(name => ways.some(way => loads(way, name) || loads(way, 'node:' + name))));
		}`},
}

func TestPromiseEnvironment(t *testing.T) { keep(t, environmentPromises) }

// A descriptor that is left open in a worker would be a way out (runc's CVE-2024-21626).
var descriptorPromises = []promise{
	{
		// The others are its own event loop's, what stands in the place of the zygote's, and a reference to its own /tmp.
		name: "only three pipes are open", insider: true, code: `
		const fs = inside.require('fs');
		function main(req, res) {
			const open = [];
			for (let fd = 0; fd < 1024; fd++) { try { const s = fs.fstatSync(fd); open.push([fd, s]) } catch (e) {} }
			const is = (kind, most) => { const n = open.slice(3).filter(([, s]) => s[kind]()).length; return n <= most ? 'at most ' + most : n };
			res.send({ standard: open.slice(0, 3).map(([fd, s]) => fd + (s.isFIFO() ? ' pipe' : ' other')), pipes: is('isFIFO', 4), devices: is('isCharacterDevice', 24),
				sockets: is('isSocket', 0), directories: is('isDirectory', 1), files: open.filter(([, s]) => s.isFile() && s.size > 0).length, few: open.length <= 40 }) }`,
		want: `{"standard":["0 pipe","1 pipe","2 pipe"],"pipes":"at most 4","devices":"at most 24","sockets":"at most 0","directories":"at most 1","files":0,"few":true}`,
	},
	{name: "there are at most 256", insider: true, code: `
		const fs = inside.require('fs');
		function main(req, res) { let n = 0; try { for (;;) { fs.openSync('/dev/null', 'r'); n++ } } catch (e) { res.send([e.code, n > 200 && n < 256]) } }`, want: `["EMFILE",true]`},
	{name: "the limits cannot be raised", insider: true, code: `
		function main(req, res) { const limit = Buffer.alloc(16, 255); res.send([inside.native.call(302, 0, 7, limit, 0), inside.native.call(160, 7, limit), inside.native.call(302, 1, 7, 0, Buffer.alloc(16))]) }`, want: `[-1,-1,-1]`},
	{name: "no signals can be bound to a descriptor", insider: true, code: `
		function main(req, res) { res.send([inside.native.call(72, 0, 8, 1), inside.native.call(72, 0, 10, 9), inside.native.call(72, 0, 15, Buffer.alloc(8)), inside.native.call(16, 0, 0x8901, Buffer.alloc(8))]) }`, want: `[-1,-1,-1,-1]`},
}

func TestPromiseDescriptors(t *testing.T) { keep(t, descriptorPromises) }

func TestPromiseNothingOfTheServerIsInherited(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		t.Setenv("FUNCTIONS_TEST_SECRET", "do-not-tell")
		file, err := os.Open(os.Args[0])
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		atRest(t, arena(t, v, nil), 1)
		for _, pid := range descendants(t, os.Getpid()) {
			environ, err := os.ReadFile(procPath(pid, "environ"))
			if err != nil {
				t.Fatal(err)
			}
			if tables := "ICU_TIMEZONE_FILES_DIR=/runner/icu\x00"; len(environ) > 0 && (v != oldest || string(environ) != tables) {
				t.Errorf("the environment of %d is %q", pid, environ)
			}
			for _, target := range descriptors(t, pid) {
				if strings.HasPrefix(target, "/") && !slices.Contains([]string{"/dev/urandom", "/dev/null", "/tmp"}, target) {
					t.Errorf("process %d has %s open", pid, target)
				}
			}
		}
	})
}
