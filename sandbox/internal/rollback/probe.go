//go:build linux && amd64

package rollback

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"
)

// pageSize is that of x86-64.
const pageSize = 4096

// probePages is how many pages a test has: enough to tell their faults from those of the Go runtime.
const probePages = 256

func testProcessor() error {
	const atHWCap2, hasFSGSBase = 26, 1 << 1
	values, err := unix.Auxv()
	if err != nil {
		return err
	}
	for _, v := range values {
		if v[0] == atHWCap2 && v[1]&hasFSGSBase != 0 {
			if !cpu.X86.HasOSXSAVE {
				return errors.New("the processor or the kernel has no XSAVE")
			}
			return nil
		}
	}
	return errors.New("the kernel does not let programs set the FS and GS base")
}

func testUserfaultfd() error {
	fd, err := uffdOpen()
	if err != nil {
		return fmt.Errorf("userfaultfd: %w (in a container the seccomp profile must allow it)", err)
	}
	return unix.Close(fd)
}

func testFeatures() error {
	fd, err := uffdOpen()
	if err != nil {
		return err
	}
	return errors.Join(uffdEnable(fd), unix.Close(fd))
}

// ground is memory of this process that the tests play with as if it were a worker's.
type ground struct {
	memory        []byte
	start, end    uint64
	uffd, pagemap int
}

// onGround runs test on memory of which every second page is there, tracked and protected.
func onGround(test func(g *ground) error) (err error) {
	g := &ground{uffd: -1, pagemap: -1}
	defer func() { err = errors.Join(err, g.close()) }()
	g.memory, err = unix.Mmap(-1, 0, probePages*pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	if err := unix.Madvise(g.memory, unix.MADV_NOHUGEPAGE); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("madvise: %w", err)
	}
	for i := 0; i < probePages; i += 2 {
		g.memory[i*pageSize] = 1
	}
	g.start = addressOf(g.memory)
	g.end = g.start + uint64(len(g.memory))
	if g.pagemap, err = unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("pagemap: %w", err)
	}
	if g.uffd, err = uffdOpen(); err != nil {
		return fmt.Errorf("userfaultfd: %w", err)
	}
	if err := errors.Join(uffdEnable(g.uffd), uffdTrack(g.uffd, g.start, g.end), g.protect()); err != nil {
		return err
	}
	return test(g)
}

func (g *ground) close() error {
	var errs []error
	for _, fd := range []int{g.uffd, g.pagemap} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	if g.memory != nil {
		errs = append(errs, unix.Munmap(g.memory))
	}
	return errors.Join(errs...)
}

func (g *ground) protect() error {
	_, _, err := scan(g.pagemap, g.start, g.end, query{flags: scanProtect | scanCheckAsync, mask: isWritten}, nil)
	if err != nil {
		return fmt.Errorf("PAGEMAP_SCAN: %w", err)
	}
	return nil
}

// written are the pages that a scan names.
func (g *ground) written() (pages []int, err error) {
	found := make([]region, probePages)
	n, _, err := scan(g.pagemap, g.start, g.end, query{flags: scanCheckAsync, mask: isWritten}, found)
	if err != nil {
		return nil, fmt.Errorf("PAGEMAP_SCAN: %w", err)
	}
	for _, r := range found[:n] {
		for at := r.start; at < r.end; at += pageSize {
			pages = append(pages, int((at-g.start)/pageSize))
		}
	}
	return pages, nil
}

// expect fails unless a scan names those pages and no others.
func (g *ground) expect(want ...int) error {
	got, err := g.written()
	if err != nil {
		return err
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Errorf("the kernel says that pages %v were written, and pages %v were", got, want)
	}
	return nil
}

func testScanNamesWrites() error {
	return onGround(func(g *ground) error {
		if err := g.expect(); err != nil {
			return err
		}
		g.memory[2*pageSize]++ // one that is there
		g.memory[7*pageSize]++ // one that is not
		runtime.KeepAlive(g.memory[12*pageSize])
		return g.expect(2, 7)
	})
}

func testScanProtects() error {
	return onGround(func(g *ground) error {
		g.memory[4*pageSize]++
		if err := errors.Join(g.expect(4), g.protect(), g.expect()); err != nil {
			return err
		}
		g.memory[4*pageSize]++
		return g.expect(4)
	})
}

func testScanRefusesUntracked() error {
	return onGround(func(g *ground) error {
		anew := syscall.MAP_PRIVATE | syscall.MAP_ANON | syscall.MAP_FIXED
		if err := mapAt(g.start+2*pageSize, pageSize, unix.PROT_READ|unix.PROT_WRITE, anew); err != nil {
			return err
		}
		if _, err := g.written(); !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("a scan over an untracked mapping says %v", err) //nolint:errorlint // no error is a fault, too
		}
		return nil
	})
}

// testFaultsCount writes to every page twice: each first write must count, and few of the second.
func testFaultsCount() error {
	return onGround(func(g *ground) error {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		writeAll := func() (faults int64, err error) {
			var before, after unix.Rusage
			if err := unix.Getrusage(unix.RUSAGE_THREAD, &before); err != nil {
				return 0, err
			}
			for at := 0; at < len(g.memory); at += pageSize {
				g.memory[at]++
			}
			err = unix.Getrusage(unix.RUSAGE_THREAD, &after)
			return after.Minflt + after.Majflt - before.Minflt - before.Majflt, err
		}
		first, err1 := writeAll()
		second, err2 := writeAll()
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if first < probePages || second >= probePages/2 {
			return fmt.Errorf("%d first writes count as %d page faults, the second ones as %d", probePages, first, second)
		}
		return nil
	})
}

func testHostWrites() error {
	return onGround(func(g *ground) error {
		text := []byte("as from another process")
		if err := writeMemory(unix.Getpid(), g.start+6*pageSize, text); err != nil {
			return fmt.Errorf("process_vm_writev: %w (in a container the seccomp profile must allow it)", err)
		}
		back := make([]byte, len(text))
		own := newProc(unix.Getpid())
		if err := errors.Join(own.readMemory(g.start+6*pageSize, back), own.close()); err != nil {
			return fmt.Errorf("/proc/PID/mem: %w", err)
		}
		if string(back) != string(text) || string(g.memory[6*pageSize:6*pageSize+len(text)]) != string(text) {
			return errors.New("what was written is not there")
		}
		return g.expect(6)
	})
}

func testDropKeepsProtection() error {
	return onGround(func(g *ground) error {
		if err := unix.Madvise(g.memory[8*pageSize:9*pageSize], unix.MADV_DONTNEED); err != nil {
			return err
		}
		g.memory[10*pageSize]++
		pages, err := g.written()
		if err != nil {
			return err
		}
		for _, page := range pages {
			if page != 8 && page != 10 {
				return fmt.Errorf("page %d counts as written", page)
			}
		}
		if len(pages) == 0 || pages[len(pages)-1] != 10 {
			return errors.New("a write beside a page that was dropped is not seen")
		}
		return nil
	})
}

// testNotification has a thread that ends afterwards ask for its group ID, which is told to this one.
func testNotification() error {
	const asked, answered = unix.SYS_GETEGID, 12345
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: asked},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	listening, got := make(chan int, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread, and its filter, end with this goroutine
		listener, err := listenOnThread(program)
		if err != nil {
			listening <- -1
			got <- fmt.Errorf("seccomp: %w", err)
			return
		}
		listening <- listener
		id, _, errno := unix.Syscall(asked, 0, 0, 0)
		if errno != 0 || id != answered {
			got <- fmt.Errorf("the call returned %d, %w", id, errno)
			return
		}
		got <- nil
	}()
	listener := <-listening
	if listener < 0 {
		return <-got
	}
	var n notification
	err := notifyReceive(listener, &n)
	if err == nil && (n.number != asked || n.ip == 0) {
		err = fmt.Errorf("notified of call %d at %#x", n.number, n.ip)
	}
	err = errors.Join(err, notifyReturn(listener, n.id, answered))
	if err != nil {
		return errors.Join(err, unix.Close(listener)) // which has the call fail
	}
	return errors.Join(<-got, unix.Close(listener))
}

func testSeal() error {
	list, err := newList()
	if err != nil {
		return err
	}
	defer list.close()
	if _, err := unix.Mmap(list.fd, 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		return errors.New("the list can be mapped for writing")
	}
	view, err := unix.Mmap(list.fd, 0, pageSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	if unix.Mprotect(view, unix.PROT_READ|unix.PROT_WRITE) == nil {
		err = errors.New("a view of the list can be made writable")
	}
	return errors.Join(err, unix.Munmap(view))
}
