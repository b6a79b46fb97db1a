package smallfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "pipe")
	link, linked := filepath.Join(dir, "link"), filepath.Join(dir, "linked")
	text := bytes.Repeat([]byte("x"), 100)
	if err := errors.Join(
		os.WriteFile(file, text, 0o600), syscall.Mkfifo(pipe, 0o600), os.Symlink(file, link), os.Symlink(pipe, linked),
	); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		path  string
		limit int64
		fault string
	}{
		{file, 100, ""},
		{link, 100, ""},
		{file, 99, file + " is larger than 99b"},
		{pipe, 100, pipe + " is not a regular file"},
		{linked, 100, linked + " is not a regular file"},
		{dir, 100, dir + " is not a regular file"},
		{"/dev/zero", 100, "/dev/zero is not a regular file"},
	} {
		got, err := Read(row.path, row.limit)
		switch {
		case row.fault == "":
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s: %d bytes, %v", row.path, len(got), err)
			}
		case err == nil || err.Error() != row.fault:
			t.Errorf("%s: got %v, want %q", row.path, err, row.fault)
		}
	}
	if _, err := Read(filepath.Join(dir, "none"), 1); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none") {
		t.Errorf("a file that is not there: %v", err)
	}
}
