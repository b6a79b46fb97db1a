//go:build linux

package sandbox_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Whoever is out of the language finds a small read-only root.
var filePromises = []promise{
	{
		name: "the root holds only Node.js, its libraries, the runner, time zones, two devices and an empty /tmp", insider: true,
		code: `const fs = inside.require('fs');
			function main(req, res) { res.send({ root: fs.readdirSync('/').filter(d => d !== 'lib64').sort(), dev: fs.readdirSync('/dev'), usr: fs.readdirSync('/usr'), bin: fs.readdirSync('/usr/bin'), share: fs.readdirSync('/usr/share') }) }`,
		want: `{"root":["dev","lib","runner","tmp","usr"],"dev":["null","urandom"],"usr":["bin","share"],"bin":["node"],"share":["zoneinfo"]}`,
	},
	{
		name: "no file of the host can be read", insider: true, code: reading(
			`['/etc/passwd', '/etc/hostname', '/root', '/home', '/var', '/sys', '/sys/fs/cgroup', '/bin/sh', '/../../../../etc/passwd', '/runner/../etc/shadow', '/dev/kmsg', '/dev/mem', '/dev/tty', '/dev/shm']`),
		want: `["ENOENT"]`,
	},
	{name: "there is no proc, not even one's own", insider: true, code: reading(
		`['/proc', '/proc/self/exe', '/proc/self/environ', '/proc/self/fd/0', '/proc/self/root', '/proc/1/cmdline', '/proc/sys/kernel/core_pattern', '/proc/keys']`), want: `["ENOENT"]`},
	{name: "no file can be made anywhere but in /tmp", insider: true, code: writing(
		`['/x', '/dev/x', '/lib/x', '/usr/bin/x', '/runner/x', '/runner/node_modules/x', '/tmpx'].map(p => () => fs.writeFileSync(p, 'x'))`), want: `["EROFS"]`},
	{name: "no directory, link, pipe or device can be made but there", insider: true, code: writing(
		`[() => fs.mkdirSync('/x'), () => fs.mkdtempSync('/x'), () => fs.symlinkSync('/', '/runner/x'), () => fs.linkSync('/runner/main.js', '/x'),
			() => inside.native.call(133, Buffer.from('/pipe\0'), 0o10666), () => inside.native.call(133, Buffer.from('/kmem\0'), 0o20666, 0x102)]`), want: `["-1","EPERM","EROFS"]`},
	{name: "neither Node.js nor the runner can be overwritten", insider: true, code: writing(
		`['/usr/bin/node', '/runner/main.js', '/runner/build/zygote.node'].map(p => () => fs.openSync(p, 'r+'))`), want: `["EACCES","EROFS"]`},
	{name: "nothing can be renamed, removed, truncated or given away", insider: true, code: writing(
		`[() => fs.renameSync('/runner/main.js', '/runner/x'), () => fs.unlinkSync('/runner/main.js'), () => fs.truncateSync('/runner/main.js'), () => fs.chmodSync('/runner/main.js', 0o777),
			() => fs.chownSync('/runner/main.js', 0, 0), () => fs.utimesSync('/runner/main.js', 1, 1), () => fs.rmdirSync('/dev')]`), want: `["EPERM","EROFS"]`},
	{name: "memory cannot be made a file and run", insider: true, code: writing(
		`[() => inside.native.call(319, Buffer.from('x\0'), 0), () => fs.openSync('/', 0o20200002)]`), want: `["-1","EROFS"]`},
	{name: "the root cannot be left by chroot or a working directory", insider: true, code: writing(
		`[() => inside.native.call(161, Buffer.from('/dev\0')), () => inside.powers.chdir('/dev'), () => inside.native.call(81, 0)]`), want: `["-1","EPERM"]`},
	{
		name: "no lock is seen by others", insider: true, code: writing(
			`[() => inside.native.call(72, fs.openSync('/runner/main.js', 'r'), 6, Buffer.alloc(64)), () => inside.native.call(73, fs.openSync('/runner/main.js', 'r'), 1), () => inside.native.call(72, fs.openSync('/runner/main.js', 'r'), 1024, 0)]`),
		want: `["-1"]`,
	},
	{name: "no change of a directory is heard of", insider: true, code: writing(
		`[() => inside.native.call(72, fs.openSync('/runner', 'r'), 1026, 0x1f), () => inside.native.call(294, 0), () => inside.native.call(300, 0, 0)]`), want: `["-1"]`},
}

// reading answers with the different outcomes of reading each path.
func reading(paths string) string {
	return `const fs = inside.require('fs');
		function main(req, res) { const paths = ` + paths + `;
			res.send(Array.from(new Set(paths.map(p => inside.tell(() => { try { return fs.readdirSync(p) } catch (e) { if (e.code !== 'ENOTDIR') throw e } return fs.readFileSync(p, 'utf8') })))).sort()) }`
}

// writing answers with the different outcomes of each attempt.
func writing(attempts string) string {
	return `const fs = inside.require('fs');
		function main(req, res) { const attempts = ` + attempts + `; res.send(Array.from(new Set(attempts.map(a => String(inside.tell(a))))).sort()) }`
}

func TestPromiseFiles(t *testing.T) { keep(t, filePromises) }

func TestPromiseNoPathOfTheHostLeadsAnywhere(t *testing.T) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	keep(t, []promise{{
		name: "host", insider: true, want: `["ENOENT"]`,
		code: reading(`[` + strconv.Quote(dir) + `, ` + strconv.Quote(secret) + `, ` + strconv.Quote(os.Args[0]) + `]`),
	}})
}
