//go:build linux && amd64

package rollback

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sizes of the list that a worker shares with the host; the same numbers stand in runner-js/native/park.h.
const (
	maxOps    = 511
	maxListed = 512

	listPages    = 32 << 10 // where the addresses of the pages begin
	listContents = 64 << 10 // where their contents begin
	listSize     = listContents + maxListed*pageSize

	// listAddress is where every worker has it.
	listAddress = 0x200000000000
)

// op is a system call that the stub makes for the host.
type op struct {
	number uint64
	args   [6]uint64
	word   uint64 // what it may read: see wordAt
}

// wordAt is where the worker has the word of op i.
func wordAt(i int) uint64 {
	return listAddress + 64 + uint64(i%maxOps)*uint64(unsafe.Sizeof(op{})) + uint64(unsafe.Offsetof(op{}.word))
}

// list is the memory through which the host tells a worker's stub what to do. The worker can only read it.
//
//	0       how many pages, how many system calls
//	64      the system calls
//	32 KiB  the addresses of the pages
//	64 KiB  their contents
type list struct {
	fd     int // -1 once the worker has it
	memory []byte

	device, inode uint64 // as /proc/PID/maps has them
}

// newList makes one. What was mapped before the seal stays writable, which is the host's mapping alone.
func newList() (*list, error) {
	fd, err := unix.MemfdCreate("rollback", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("rollback: memfd_create: %w", err)
	}
	l, of := &list{fd: fd}, unix.Stat_t{}
	if err = unix.Ftruncate(fd, listSize); err == nil {
		l.memory, err = unix.Mmap(fd, 0, listSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err == nil {
		const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_FUTURE_WRITE
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
		err = errors.Join(err, unix.Fstat(fd, &of))
	}
	if err != nil {
		return nil, fmt.Errorf("rollback: list: %w", errors.Join(err, l.close()))
	}
	l.device, l.inode = of.Dev, of.Ino
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

func (l *list) at(offset uintptr) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(l.memory)), offset)
}

// setPages says how many pages the stub copies.
func (l *list) setPages(n int) { *(*uint64)(l.at(0)) = uint64(n) }

// setPage is the page that it copies as number i.
func (l *list) setPage(i int, address uint64, content []byte) {
	*(*uint64)(l.at(uintptr(listPages + 8*i))) = address
	copy(l.memory[listContents+i*pageSize:][:pageSize], content)
}

// page is the address of page number i.
func (l *list) page(i int) uint64 { return *(*uint64)(l.at(uintptr(listPages + 8*i))) }

// setOps are the system calls that the stub makes next.
func (l *list) setOps(ops []op) {
	*(*uint64)(l.at(8)) = uint64(len(ops))
	copy(unsafe.Slice((*op)(l.at(64)), maxOps), ops)
}
