//go:build linux && amd64

package rollback

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// addressOf is where memory lies in this process.
func addressOf(memory []byte) uint64 {
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(memory))))
}

// mapAt maps anew at an address of this process.
func mapAt(start, length uint64, prot, flags int) error {
	_, _, errno := unix.Syscall6(unix.SYS_MMAP,
		uintptr(start), uintptr(length), uintptr(prot), uintptr(flags), ^uintptr(0), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// writeMemory writes to memory of a process: process_vm_writev(2).
func writeMemory(pid int, at uint64, from []byte) error {
	var w writer
	w.add(at, from)
	return w.flush(pid)
}

// maxVectors is IOV_MAX.
const maxVectors = 1024

// writer gathers what is to be written to memory of a process, so that many pages take few system calls.
type writer struct {
	local  []unix.Iovec
	remote []unix.RemoteIovec
}

// add has from, which must not change before flush, written at an address.
func (w *writer) add(at uint64, from []byte) {
	w.local = append(w.local, unix.Iovec{Base: unsafe.SliceData(from), Len: uint64(len(from))})
	w.remote = append(w.remote, unix.RemoteIovec{Base: uintptr(at), Len: len(from)})
}

// flush writes all that was added.
func (w *writer) flush(pid int) error {
	for at := 0; at < len(w.local); at += maxVectors {
		end := min(at+maxVectors, len(w.local))
		want := 0
		for _, v := range w.remote[at:end] {
			want += v.Len
		}
		n, err := unix.ProcessVMWritev(pid, w.local[at:end], w.remote[at:end], 0)
		if err := complete(n, want, err); err != nil {
			return err
		}
	}
	clear(w.local)
	w.local, w.remote = w.local[:0], w.remote[:0]
	return nil
}

func complete(n, want int, err error) error {
	if err == nil && n != want {
		return fmt.Errorf("%d of %d bytes", n, want)
	}
	return err
}
