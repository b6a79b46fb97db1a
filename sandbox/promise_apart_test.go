//go:build linux

package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/backstage/functions/sandbox"
)

// A worker has nothing in common with the fork server, with another worker or with this process by which something
// could be changed: neither an open file description, which kcmp(2) tells, nor memory.
func TestPromiseNoOpenFileAndNoMemoryIsShared(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, func(c *sandbox.Config) { c.Size, c.Prewarmed = 8, 4 })
		for _, name := range []string{"a", "b"} {
			if _, err := pool.Invoke(t.Context(), invocation(name, `function main(req, res) { res.send(1) }`)); err != nil {
				t.Fatal(err)
			}
		}
		atRest(t, pool, 4) // nothing is being forked: what is on its way has not left the zygote's files yet
		processes := append([]int{os.Getpid()}, descendants(t, os.Getpid())...)
		if len(processes) < 4 {
			t.Fatalf("found only the processes %d", processes)
		}
		for i, one := range processes {
			for _, other := range processes[i+1:] {
				noFileIsShared(t, one, other)
			}
			if one != os.Getpid() {
				noMemoryIsShared(t, one)
			}
		}
	})
}

func noFileIsShared(t *testing.T, one, other int) {
	t.Helper()
	theirs := openFiles(t, other)
	for fd, target := range openFiles(t, one) {
		for otherFD := range theirs {
			if sameFile(t, one, fd, other, otherFD) {
				t.Errorf("processes %d and %d share %s as %d and %d", one, other, target, fd, otherFD)
			}
		}
	}
}

// sameFile says whether two descriptors are of one open file description: kcmp(2), which needs CONFIG_KCMP.
func sameFile(t *testing.T, pid, fd, otherPID, otherFD int) bool {
	t.Helper()
	const file = 0 // KCMP_FILE
	order, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(pid), uintptr(otherPID), file, uintptr(fd), uintptr(otherFD), 0)
	if errno != 0 && !errors.Is(errno, unix.EBADF) { // closed since it was found
		t.Fatalf("kcmp %d %d: %v", pid, otherPID, errno)
	}
	return errno == 0 && order == 0
}

// openFiles are the descriptors of a process and what they refer to, as the kernel names it.
func openFiles(t *testing.T, pid int) map[int]string {
	t.Helper()
	links, err := filepath.Glob(procPath(pid, "fd/*"))
	if err != nil {
		t.Fatal(err)
	}
	open := map[int]string{}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil { // the one that reads the directory has been closed
			fd, err := strconv.Atoi(filepath.Base(link))
			if err != nil {
				t.Fatal(err)
			}
			open[fd] = target
		}
	}
	return open
}

// noMemoryIsShared lets pass what ICU maps of a file that was opened to be read only: the kernel lets nobody make
// that writable.
func noMemoryIsShared(t *testing.T, pid int) {
	t.Helper()
	for line := range strings.Lines(procText(t, pid, "maps")) {
		tables := strings.Contains(line, " r--s ") && strings.Contains(line, " /runner/icu/")
		if strings.HasSuffix(strings.Fields(line)[1], "s") && !tables {
			t.Errorf("process %d has memory that others may have: %s", pid, line)
		}
	}
}

// everyDescriptor runs each as the code for a descriptor fd and its socket, for all that a worker may have inherited.
// By net.Socket, which a request of a module leads to, plain JavaScript reaches any descriptor.
func everyDescriptor(options, each, after string) string {
	return fmt.Sprintf(`function main(req, res) {
		const r = require('request')({ url: 'http://127.0.0.1:9/' }, () => {});
		r.on('error', () => {});
		r.on('socket', plain => {
			for (let fd = 3; fd < 64; fd++) {
				try { const socket = new plain.constructor(Object.assign({ fd }, %s)); socket.on('error', () => {}); %s } catch (e) {}
			}
			%s
		});
	}`, options, each, after)
}

// What is written into a descriptor reaches nobody: no thread of the fork server takes it for a pointer.
func TestPromiseTheForkServerOutlivesWhatIsWrittenToDescriptors(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, nil)
		zygote := zygoteOf(t)
		code := everyDescriptor(`{ readable: false, writable: true }`,
			`const forged = Buffer.alloc(16, 0x41); forged.writeInt32LE(10, 8); socket.write(forged)`, `setTimeout(() => res.send(1), 10)`)
		calm := disturb(t, pool, func() {
			_, _ = pool.Invoke(t.Context(), invocation("attack", code)) // its own end is as it may be
		})
		if now := zygoteOf(t); calm == 0 || now != zygote {
			t.Errorf("the neighbour had %d answers, the zygote is %d, before %d", calm, now, zygote)
		}
	})
}

// Two functions do not meet in a descriptor: what one writes into all, the other finds in none.
func TestPromiseNoDescriptorIsAMailbox(t *testing.T) {
	write := everyDescriptor(`{ readable: false, writable: true }`, `socket.write('for you')`, `setTimeout(() => res.send(1), 10)`)
	read := `let heard = null;` + everyDescriptor(`{ readable: true, writable: false }`,
		`socket.on('data', data => { heard = data.toString('latin1') }); socket.resume()`, `setTimeout(() => res.send(heard), 100)`)
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, nil)
		_, _ = pool.Invoke(t.Context(), invocation("writer", write)) // its own end is as it may be
		result, err := pool.Invoke(t.Context(), invocation("reader", read))
		var death *sandbox.DeathError
		if err == nil && strings.Contains(string(result.Body), "for you") || err != nil && !errors.As(err, &death) {
			t.Errorf("the reader got %s, %v", bodyOf(result), err)
		}
	})
}
