package runtimes

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrBusy means that another command changes the runtimes.
var ErrBusy = errors.New("another command is adding or removing runtimes: try again when it has ended")

// lock keeps other commands from changing the directory, which it makes. The kernel lets go of it with the process,
// however that ends: flock(2).
func (d Dir) lock() (unlock func(), err error) {
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(string(d), ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrBusy
		}
		return nil, &os.PathError{Op: "lock", Path: file.Name(), Err: err}
	}
	return func() { _ = file.Close() }, nil
}
