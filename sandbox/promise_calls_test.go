//go:build linux

package sandbox_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// refusedCalls are refused to native code in a worker, whatever their arguments.
var refusedCalls = map[string]int{
	"kill": unix.SYS_KILL, "tkill": unix.SYS_TKILL, "tgkill": unix.SYS_TGKILL, "pidfd_open": unix.SYS_PIDFD_OPEN, "pidfd_getfd": unix.SYS_PIDFD_GETFD,
	"pidfd_send_signal": unix.SYS_PIDFD_SEND_SIGNAL, "chroot": unix.SYS_CHROOT, "memfd_create": unix.SYS_MEMFD_CREATE, "bind": unix.SYS_BIND,
	"listen": unix.SYS_LISTEN, "accept4": unix.SYS_ACCEPT4, "socketpair": unix.SYS_SOCKETPAIR, "setresuid": unix.SYS_SETRESUID,
	"setresgid": unix.SYS_SETRESGID, "setgroups": unix.SYS_SETGROUPS, "capset": unix.SYS_CAPSET, "open_tree": unix.SYS_OPEN_TREE,
	"move_mount": unix.SYS_MOVE_MOUNT, "fsopen": unix.SYS_FSOPEN, "mount_setattr": unix.SYS_MOUNT_SETATTR, "fanotify_init": unix.SYS_FANOTIFY_INIT,
	"inotify_init1": unix.SYS_INOTIFY_INIT1, "reboot": unix.SYS_REBOOT, "swapon": unix.SYS_SWAPON, "syslog": unix.SYS_SYSLOG, "acct": unix.SYS_ACCT,
	"quotactl": unix.SYS_QUOTACTL, "name_to_handle_at": unix.SYS_NAME_TO_HANDLE_AT, "shmget": unix.SYS_SHMGET, "msgget": unix.SYS_MSGGET,
	"semget": unix.SYS_SEMGET, "mq_open": unix.SYS_MQ_OPEN, "flock": unix.SYS_FLOCK, "personality": unix.SYS_PERSONALITY,
	"setpriority": unix.SYS_SETPRIORITY, "sched_setscheduler": unix.SYS_SCHED_SETSCHEDULER, "seccomp": unix.SYS_SECCOMP,
	"landlock_create_ruleset": unix.SYS_LANDLOCK_CREATE_RULESET, "process_madvise": unix.SYS_PROCESS_MADVISE, "kcmp": unix.SYS_KCMP,
	"sethostname": unix.SYS_SETHOSTNAME, "settimeofday": unix.SYS_SETTIMEOFDAY, "clock_settime": unix.SYS_CLOCK_SETTIME, "adjtimex": unix.SYS_ADJTIMEX,
	"timer_create": unix.SYS_TIMER_CREATE, "signalfd4": unix.SYS_SIGNALFD4, "splice": unix.SYS_SPLICE, "vmsplice": unix.SYS_VMSPLICE,
	"mlockall": unix.SYS_MLOCKALL, "mbind": unix.SYS_MBIND, "move_pages": unix.SYS_MOVE_PAGES, "setsid": unix.SYS_SETSID,
}

// missingCalls are answered as by a kernel that does not have them, so that libraries do without.
var missingCalls = map[string]int{
	"clone3": unix.SYS_CLONE3, "io_uring_setup": unix.SYS_IO_URING_SETUP, "io_uring_enter": unix.SYS_IO_URING_ENTER,
	"io_uring_register": unix.SYS_IO_URING_REGISTER, "pkey_alloc": unix.SYS_PKEY_ALLOC, "pkey_free": unix.SYS_PKEY_FREE, "pkey_mprotect": unix.SYS_PKEY_MPROTECT,
	"copy_file_range": unix.SYS_COPY_FILE_RANGE,
}

// deadlyCalls end the worker: only an exploit makes them.
var deadlyCalls = map[string]int{
	"ptrace": unix.SYS_PTRACE, "process_vm_readv": unix.SYS_PROCESS_VM_READV, "process_vm_writev": unix.SYS_PROCESS_VM_WRITEV, "bpf": unix.SYS_BPF,
	"kexec_load": unix.SYS_KEXEC_LOAD, "init_module": unix.SYS_INIT_MODULE, "finit_module": unix.SYS_FINIT_MODULE,
	"delete_module": unix.SYS_DELETE_MODULE, "mount": unix.SYS_MOUNT, "umount2": unix.SYS_UMOUNT2, "pivot_root": unix.SYS_PIVOT_ROOT,
	"setns": unix.SYS_SETNS, "unshare": unix.SYS_UNSHARE, "add_key": unix.SYS_ADD_KEY, "keyctl": unix.SYS_KEYCTL, "request_key": unix.SYS_REQUEST_KEY,
	"userfaultfd": unix.SYS_USERFAULTFD, "perf_event_open": unix.SYS_PERF_EVENT_OPEN, "open_by_handle_at": unix.SYS_OPEN_BY_HANDLE_AT,
	"execve": unix.SYS_EXECVE, "execveat": unix.SYS_EXECVEAT,
}

// callPromises are about native code in a worker that calls the kernel by itself.
var callPromises = []promise{
	{name: "calls that reach beyond the worker are refused", insider: true, code: calling(refusedCalls), want: `["-1"]`},
	{name: "calls that libraries can do without seem unknown", insider: true, code: calling(missingCalls), want: `["-38"]`},
	{
		name: "calls of the 32-bit world end the worker", insider: true, death: "refused_syscall",
		code: `function main(req, res) { res.send(inside.native.call32(20, 0, 0, 0)) }`,
	},
	{
		name: "calls of the x32 world end the worker", insider: true, death: "refused_syscall",
		code: `function main(req, res) { res.send(inside.native.call(0x40000000 + 39)) }`,
	},
	{
		name: "another filter cannot be laid over", insider: true, want: `[-1,-1,-1]`,
		code: `function main(req, res) { res.send([inside.native.call(157, 22, 2, Buffer.alloc(16)), inside.native.call(157, 38, 0), inside.native.call(157, 4, 1)]) }`,
	},
	{name: "what Node.js needs is allowed", insider: true, want: `["crypto","file","gzip","memory","name","timer","wasm","web","zlib"]`, code: `
		const [crypto, zlib, fs, dns, v8, vm] = ['crypto', 'zlib', 'fs', 'dns', 'v8', 'vm'].map(name => inside.require(name));
		const wasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
		function main(req, res) {
			const done = []; const over = name => ok => { done.push(ok ? name : 'no ' + name); if (done.length === 9) res.send(done.sort()) };
			crypto.pbkdf2('a', 'b', 1, 8, 'sha1', (e, b) => over('crypto')(b.length === 8)); fs.readFile('/runner/main.js', (e, b) => over('file')(b.length > 0));
			zlib.gzip('x', (e, b) => over('gzip')(b.length > 0)); over('zlib')(zlib.inflateSync(zlib.deflateSync('x')).toString() === 'x');
			dns.lookup('127.0.0.1', (e, address) => over('name')(address === '127.0.0.1')); setTimeout(() => over('timer')(true), 5);
			WebAssembly.compile(wasm).then(module => over('wasm')(module instanceof WebAssembly.Module), () => over('wasm')(false));
			v8.setFlagsFromString('--expose-gc'); const kept = []; for (let i = 0; i < 1e5; i++) kept.push([i]); vm.runInNewContext('gc')(); over('memory')(kept[99999][0] === 99999);
			const web = crypto.webcrypto ? crypto.webcrypto.subtle.digest('SHA-256', new Uint8Array(1 << 16)) : Promise.resolve({ byteLength: 32 });
			web.then(digest => over('web')(digest.byteLength === 32), () => over('web')(false)); }`},
}

// calling answers with the different outcomes of the calls.
func calling(numbers map[string]int) string {
	text, err := json.Marshal(numbers)
	if err != nil {
		panic(err)
	}
	return `function main(req, res) { const numbers = ` + string(text) + `; const outcomes = {};
		for (const name of Object.keys(numbers)) { const out = inside.native.call(numbers[name], 0, 0, 0, 0, 0, 0); (outcomes[out] = outcomes[out] || []).push(name) }
		const kinds = Object.keys(outcomes); res.send(kinds.length === 1 ? kinds : outcomes) }`
}

func TestPromiseSystemCalls(t *testing.T) { keep(t, callPromises) }

func TestPromiseDeadlyCallsEndTheWorker(t *testing.T) {
	runner := insiderRunner(t)
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, insider(runner, nil))
		for name, number := range deadlyCalls {
			p := promise{name: name, insider: true, death: "refused_syscall", code: strings.Replace(
				`function main(req, res) { res.send(inside.native.call(NUMBER, 0, 0, 0, 0, 0, 0)) }`, "NUMBER", strconv.Itoa(number), 1)}
			t.Run(name, func(t *testing.T) { p.attack(t, pool) })
		}
	})
}
