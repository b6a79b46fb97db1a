package auditlog

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestAFileThatWasMovedAwayIsReopened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(line string) {
		t.Helper()
		if _, err := f.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	write("1\n")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write("2\n")
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	write("3\n")
	for name, want := range map[string]string{path + ".1": "1\n2\n", path: "3\n"} {
		if text, err := os.ReadFile(name); err != nil || string(text) != want {
			t.Errorf("%s has %q, %v", name, text, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if f.Reopen() == nil {
		t.Error("a directory was opened")
	}
	write("4\n") // to the file before
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAPipeIsNoFileForRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := OpenFile(path); err == nil {
		t.Errorf("it was opened: %v", f.Close())
	}
}

func TestALineIsNoPartOfOneThatBrokeOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	f.torn = true // as of a write that a full disk has ended
	for _, line := range []string{"1\n", "2\n"} {
		if _, err := f.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "half\n1\n2\n" {
		t.Errorf("%q, %v", text, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
