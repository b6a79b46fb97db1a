//go:build linux && amd64

package rollback

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// What a rollback trusts in a worker is its stub and its list. Code of a function may run before the snapshot, and
// could change the code of the one, or map something else over the other. It could also have the kernel interrupt the
// stub in a later call, after the host's answer: by a handler for a signal that a flag of the processor or an access
// raises (sigaction(2), the trap flag), or by a restartable sequence (rseq(2)). Neither needs a system call then.
// After the snapshot no call can do any of that.

// noteStub notes the page of the stub's code, before code of any function has run.
func (w *Worker) noteStub() (err error) {
	w.stub, err = w.sumStub()
	return err
}

func (w *Worker) sumStub() (uint64, error) {
	var content [pageSize]byte
	if err := w.proc.readMemory(w.listener.stub&^(pageSize-1), content[:]); err != nil {
		return 0, fmt.Errorf("rollback: the stub: %w", err)
	}
	return w.store.sum(content[:]), nil
}

// checkTrusted fails unless the stub's code is what it was, the list is where it was, and nothing interrupts the stub.
func (w *Worker) checkTrusted() error {
	if w.before&taintControl != 0 {
		return retire(Call, "rt_sigaction or rseq before the snapshot")
	}
	stub, err := w.sumStub()
	if err != nil {
		return retire(Kernel, "%v", err)
	}
	if stub != w.stub {
		return retire(Fixed, "the code of the stub was written to before the snapshot")
	}
	code := w.snap.find(w.listener.stub)
	if code == nil || code.inode == 0 || code.prot != unix.PROT_READ|unix.PROT_EXEC {
		return retire(Fixed, "the code of the stub is mapped otherwise")
	}
	list := w.snap.find(listAddress)
	if list == nil || !list.fixed || list.start != listAddress || list.end != listAddress+listSize ||
		list.offset != 0 || list.inode != w.list.inode || list.device != w.list.device {
		return retire(Mapping, "the list is not at %#x", uint64(listAddress))
	}
	return nil
}
