//go:build linux && amd64

package rollback

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience ends a broken test.
const patience = 2 * time.Minute

// bed is a worker of testdata/worker.c with a snapshot.
type bed struct {
	*testing.T
	*Worker
	store   Store
	process *exec.Cmd
	in      io.WriteCloser
	out     io.Reader
}

// program builds it once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rollback")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "worker")
	out, err := exec.Command("gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-I", "../../../runner-js/native",
		"-o", path, "testdata/worker.c").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out) + err.Error())
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// newBed starts one, and takes its snapshot. before is called with the worker before that, unless it is nil.
func newBed(t *testing.T, before func(*Worker)) *bed {
	t.Helper()
	b := startBed(t)
	if before != nil {
		before(b.Worker)
	}
	b.must(b.AwaitPark(b.ctx()))
	b.must(b.Snapshot())
	b.must(b.Release())
	return b
}

// startBed starts one, and takes no snapshot.
func startBed(t *testing.T) *bed {
	t.Helper()
	needProbe(t)
	b := &bed{T: t}
	path, err := program()
	b.must(err)
	handover, err := NewHandover()
	b.must(err)
	b.process = exec.Command(path)
	b.process.Env = []string{"GLIBC_TUNABLES=glibc.pthread.rseq=0"}
	for _, fd := range handover.Descriptors() {
		copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 10)
		b.must(err)
		b.process.ExtraFiles = append(b.process.ExtraFiles, os.NewFile(uintptr(copied), "handover"))
	}
	var errs [2]error
	b.in, errs[0] = b.process.StdinPipe()
	b.out, errs[1] = b.process.StdoutPipe()
	b.must(errors.Join(errs[0], errs[1], b.process.Start(), handover.Sent()))
	for _, file := range b.process.ExtraFiles {
		b.must(file.Close())
	}
	b.Worker, err = handover.Take(b.ctx(), b.process.Process.Pid, &b.store)
	b.must(err)
	t.Cleanup(b.end)
	return b
}

func (b *bed) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	b.Cleanup(cancel)
	return ctx
}

func (b *bed) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bed) end() {
	_ = b.process.Process.Kill()
	_ = b.process.Wait()
	if err := b.Worker.Close(); err != nil {
		b.Error(err)
	}
	if n := b.store.Pages(); n != 0 {
		b.Errorf("%d pages of the store are left", n)
	}
}

// call has the worker do something, and returns its answer.
func (b *bed) call(kind byte) int64 {
	b.Helper()
	b.send(kind)
	return b.answer()
}

// answer reads that of the worker.
func (b *bed) answer() int64 {
	b.Helper()
	answer := make([]byte, 8)
	if _, err := io.ReadFull(b.out, answer); err != nil {
		b.Fatal(err)
	}
	return int64(binary.NativeEndian.Uint64(answer))
}

func (b *bed) send(kind byte) {
	b.Helper()
	_, err := b.in.Write([]byte{'\n', kind})
	b.must(err)
}

// rollBack is what the host does after each call, with a comparison.
func (b *bed) rollBack() error {
	if err := b.AwaitPark(b.ctx()); err != nil {
		return err
	}
	if err := b.Rollback(b.ctx()); err != nil {
		return err
	}
	if err := b.Release(); err != nil {
		return err
	}
	return b.Compare(b.ctx())
}

// causeOf is the cause of a *RetireError; empty for none.
func causeOf(t *testing.T, err error) Cause {
	t.Helper()
	if err == nil {
		return ""
	}
	retired, ok := errors.AsType[*RetireError](err)
	if !ok {
		t.Fatalf("%v is no *RetireError", err)
	}
	return retired.Cause
}
