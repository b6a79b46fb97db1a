//go:build linux && amd64

package rollback

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// proc are files of /proc/PID that are read after each call, or often. They are opened when they are first needed and
// stay open.
type proc struct {
	dir   string
	files map[string]int
	text  []byte // of what was read last; reused
}

// maxText bounds what a worker can have the host read: some ten thousand mappings.
const maxText = 1 << 20

func newProc(pid int) *proc {
	return &proc{dir: filepath.Join("/proc", strconv.Itoa(pid)), files: map[string]int{}, text: make([]byte, 1<<10)}
}

func (p *proc) open(name string, flags int) (int, error) {
	if fd, ok := p.files[name]; ok {
		return fd, nil
	}
	fd, err := unix.Open(filepath.Join(p.dir, name), flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("%s: %w", name, err)
	}
	p.files[name] = fd
	return fd, nil
}

// read returns the text of a file, which is valid until the next one is read.
func (p *proc) read(name string) ([]byte, error) {
	fd, err := p.open(name, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	for n := 0; ; {
		got, err := unix.Pread(fd, p.text[n:], int64(n))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		case got == 0:
			return p.text[:n], nil
		case n+got > maxText:
			return nil, fmt.Errorf("%s: more than %d bytes", name, maxText)
		default:
			if n += got; n == len(p.text) {
				p.text = append(p.text, make([]byte, len(p.text))...)
			}
		}
	}
}

// stat reads how many page faults and threads there are. That is one line, which the kernel makes anew for each read
// and gives as a whole where there is room: so there is one read.
func (p *proc) stat() (stat, error) {
	fd, err := p.open("stat", unix.O_RDONLY)
	if err != nil {
		return stat{}, err
	}
	for {
		switch n, err := unix.Pread(fd, p.text, 0); {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return stat{}, fmt.Errorf("stat: %w", err)
		case n == len(p.text):
			p.text = make([]byte, 2*n)
		default:
			return parseStat(p.text[:n])
		}
	}
}

// mappings reads the mappings.
func (p *proc) mappings() ([]mapping, error) {
	text, err := p.read("maps")
	if err != nil {
		return nil, err
	}
	return parseMaps(text)
}

// pagemap is the file for scans.
func (p *proc) pagemap() (int, error) { return p.open("pagemap", unix.O_RDONLY) }

// memory is the file through which memory is read, and can be written that the worker itself cannot write to.
func (p *proc) memory() (int, error) { return p.open("mem", unix.O_RDWR) }

// readMemory reads memory of the process. It does not use process_vm_readv(2), which pins pages: since Linux 5.19 the
// kernel copies each page for the process then that it has in common with its fork server.
func (p *proc) readMemory(at uint64, into []byte) error {
	memory, err := p.memory()
	if err != nil {
		return err
	}
	n, err := unix.Pread(memory, into, int64(at))
	return complete(n, len(into), err)
}

func (p *proc) close() error {
	var errs []error
	for _, fd := range p.files {
		errs = append(errs, unix.Close(fd))
	}
	clear(p.files)
	return errors.Join(errs...)
}
