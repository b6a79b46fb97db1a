//go:build linux && amd64

package rollback

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestStateIsRead(t *testing.T) {
	const text = "77 (a ) b) S 1 77 77 0 -1 4194304 1200 5 34 6 3 1 0 0 20 0 7 0 12345 1 2 " +
		"18446744073709551615 4 5 6 7 8 8 9 10 11 12 13\n"
	if got, err := parseStat([]byte(text)); err != nil ||
		got != (stat{faults: 1234, threads: 7, signals: [4]int64{8, 9, 10, 11}}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, text := range []string{"", "77 (a", "77 (a) S 1 2 3"} {
		if got, err := parseStat([]byte(text)); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parseStat(own); err != nil || got.faults == 0 || got.threads < 2 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A state that does not fit is read again, as a whole.
func TestAStateOfAnyLengthIsReadAsAWhole(t *testing.T) {
	for _, room := range []int{1, 16, 64, 4 << 10} {
		p := newProc(os.Getpid())
		p.text = make([]byte, room)
		got, err := p.stat()
		if err != nil || got.faults == 0 || got.threads < 2 {
			t.Errorf("into %d bytes: %+v, %v", room, got, err)
		}
		if err := p.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFilesTellWhatTheyLeadTo(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cat")
	cmd.ExtraFiles = []*os.File{r}
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start(), r.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil { // from here on it opens nothing
		t.Fatal(err)
	}
	files, err := readFiles(cmd.Process.Pid)
	if err != nil || !hasFile(files, 3) || hasFile(files, 4) {
		t.Errorf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if f.number == 3 && !strings.HasPrefix(f.text, "pipe:[") {
			t.Errorf("descriptor 3 is %q", f.text)
		}
	}
	if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
		t.Error(err)
	}
}
