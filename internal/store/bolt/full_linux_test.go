package bolt_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/bolt"
)

// smallDisk mounts a file system of the given size, which needs root; resize changes it.
func smallDisk(t *testing.T, size int) (dir string, resize func(size int)) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size)); err != nil {
		t.Fatalf("mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, func(size int) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d,mode=700", size)); err != nil {
			t.Fatal(err)
		}
	}
}

// wantNumber fails t unless the function is stored as a whole, by the write with that number.
func wantNumber(t *testing.T, s *bolt.Store, id string, number int) {
	t.Helper()
	want := numbered(id, number)
	f, err := s.Get(t.Context(), want.Ref)
	if err != nil || f.Code != want.Code || f.Hash != function.HashOf(want.Code) {
		t.Errorf("function %s is not that of write %d: %v", id, number, err)
	}
}

// fill puts functions, beside those that are there, until one is refused, and returns how many there are then.
func fill(t *testing.T, s *bolt.Store, taken int) int {
	t.Helper()
	for ; ; taken++ {
		_, err := s.Put(t.Context(), numbered(strconv.Itoa(taken), 1))
		switch {
		case err == nil && taken < 1000:
		case errors.Is(err, function.ErrUnavailable):
			wantText(t, err, "no space left on device")
			if !errors.Is(err, function.ErrFull) {
				t.Errorf("not told as full: %v", err)
			}
			return taken
		default:
			t.Fatalf("write %d: %v", taken, err)
		}
	}
}

func TestAFullDiskRefusesWritesAndLosesNothing(t *testing.T) {
	dir, resize := smallDisk(t, 2<<20)
	s := open(t, dir)
	taken := fill(t, s, 0)
	check := func(s *bolt.Store) {
		t.Helper()
		for i := range taken {
			wantNumber(t, s, strconv.Itoa(i), 1)
		}
		page, err := s.List(t.Context(), function.Query{Page: 1, PerPage: 1})
		if err != nil || page.Total != taken {
			t.Errorf("%d functions were taken, listed are %+v, %v", taken, page, err)
		}
	}
	check(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir) // a server that is started again serves what is there
	check(s)
	taken = fill(t, s, taken) // the last pages of the file may hold one more
	check(s)

	resize(8 << 20)
	if _, err := s.Put(t.Context(), numbered("0", 3)); err != nil {
		t.Errorf("a write once there is room: %v", err)
	}
	wantNumber(t, s, "0", 3)
}

func TestAStoreThatFoundNoRoomIsMadeLater(t *testing.T) {
	page := os.Getpagesize()
	for pages := range 9 {
		dir, resize := smallDisk(t, 16*page)
		ballast := filepath.Join(dir, "ballast")
		if err := os.WriteFile(ballast, make([]byte, (16-1-pages)*page), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := bolt.Open(dir)
		if err == nil {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		} else {
			wantText(t, err, filepath.Join(dir, "functions.db"), "no space left on device")
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		resize(1 << 20)
		put(t, open(t, dir), function.Ref{Namespace: "ns", ID: "id"}, "1", nil)
		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
			t.Errorf("beside the store's file are left %v, %v", files, err)
		}
	}
}
