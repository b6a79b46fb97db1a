package worker

import (
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Before Linux 6.15 the kernel notes when a pipe was written to and read from, and fstat(2) tells it. Of the stdout of
// a process that is rolled back that is the moment of the answer before, which a call could choose to tell the next one
// something. So with each call its pipe becomes one of that moment; stdin does by the frame that is written to it.

// pipesTellTimes says whether the kernel notes it, which is tried once. In doubt it does.
var pipesTellTimes = sync.OnceValue(func() bool {
	r, w, err := os.Pipe()
	if err != nil {
		return true
	}
	defer r.Close()
	defer w.Close()
	var before, after unix.Stat_t
	past := []unix.Timespec{{Sec: 1}, {Sec: 1}}
	err = errors.Join(setTimes(w, past), unix.Fstat(int(w.Fd()), &before))
	_, written := w.WriteString("x")
	_, read := r.Read(make([]byte, 1))
	err = errors.Join(err, written, read, unix.Fstat(int(w.Fd()), &after))
	return err != nil || before.Atim != after.Atim || before.Mtim != after.Mtim
})

// forgetTimes has the pipe of a process that is rolled back tell nothing of earlier calls.
func (p *Process) forgetTimes() error {
	if p.tracked == nil || !pipesTellTimes() {
		return nil
	}
	return touch(p.stdout)
}

// touch makes a pipe one that was written to and read from now.
func touch(pipe *os.File) error { return setTimes(pipe, nil) }

// setTimes sets when a file was read and written: now for nil.
func setTimes(file *os.File, times []unix.Timespec) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) { failed = unix.UtimesNanoAt(int(fd), "", times, unix.AT_EMPTY_PATH) })
	return errors.Join(err, failed)
}
