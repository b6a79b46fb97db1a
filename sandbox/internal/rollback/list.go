//go:build linux && amd64

package rollback

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Sizes of the list that a worker shares with the host.
const (
	maxListed = 512

	listContents = 64 << 10 // where the contents of the pages begin
	listSize     = listContents + maxListed*pageSize
)

// list is the memory through which the host tells a worker's stub what to do. The worker can only read it.
//
//	0       how many pages, how many system calls
//	64      the system calls
//	32 KiB  the addresses of the pages
//	64 KiB  their contents
type list struct {
	fd     int // -1 once the worker has it
	memory []byte
}

// newList makes one. What was mapped before the seal stays writable, which is the host's mapping alone.
func newList() (*list, error) {
	fd, err := unix.MemfdCreate("rollback", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("rollback: memfd_create: %w", err)
	}
	l := &list{fd: fd}
	if err = unix.Ftruncate(fd, listSize); err == nil {
		l.memory, err = unix.Mmap(fd, 0, listSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err == nil {
		const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_FUTURE_WRITE
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		return nil, fmt.Errorf("rollback: list: %w", errors.Join(err, l.close()))
	}
	return l, nil
}

func (l *list) closeFD() error {
	fd := l.fd
	l.fd = -1
	if fd < 0 {
		return nil
	}
	return unix.Close(fd)
}

func (l *list) close() error {
	err := l.closeFD()
	if l.memory != nil {
		err = errors.Join(err, unix.Munmap(l.memory))
		l.memory = nil
	}
	return err
}
