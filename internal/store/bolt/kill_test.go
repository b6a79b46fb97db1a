package bolt_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/bolt"
)

// helperDir tells this test binary to be the process that TestNothingIsLostWhenTheProcessIsKilled kills.
const helperDir = "BOLTSTORE_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		put := putForever
		if os.Getenv(helperReplaces) != "" {
			put = replaceForever
		}
		fmt.Fprintln(os.Stderr, put(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// helperReplaces tells it to write one function over and over.
const helperReplaces = "BOLTSTORE_TEST_REPLACES"

// putForever stores functions one after the other and prints the number of each when Put has returned.
func putForever(dir string) error {
	s, err := bolt.Open(dir)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		f := &function.Function{Ref: function.Ref{Namespace: "ns", ID: strconv.Itoa(i)}, Code: strings.Repeat("x", 1+i*100)}
		if _, err := s.Put(context.Background(), f); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

func TestNothingIsLostWhenTheProcessIsKilled(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		last := putUntilKilled(t, dir, 10*(round+1))
		s := open(t, dir)
		for i := range last + 1 {
			f, err := s.Get(t.Context(), function.Ref{Namespace: "ns", ID: strconv.Itoa(i)})
			if err != nil || len(f.Code) != 1+i*100 {
				t.Errorf("function %d of %d: %v", i, last, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// putUntilKilled kills a process right after it has said that it stored function number n, and returns the number of
// the last one that it said it stored.
func putUntilKilled(t *testing.T, dir string, n int) (last int) {
	t.Helper()
	cmd, out := startHelper(t, helperDir+"="+dir)
	var err error
	last = -1
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		if last == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if last < n {
		t.Fatalf("the process ended at %d", last)
	}
	return last
}

func startHelper(t *testing.T, vars ...string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), vars...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// replaceForever writes one function over and over and prints the number of each write that was acknowledged.
func replaceForever(dir string) error {
	s, err := bolt.Open(dir)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		if _, err := s.Put(context.Background(), numberedLarge(i)); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// numberedLarge takes some time to write.
func numberedLarge(number int) *function.Function {
	return &function.Function{
		Ref:  function.Ref{Namespace: "ns", ID: "id"},
		Code: strconv.Itoa(number) + strings.Repeat(" ", 300_000),
	}
}

func TestAWriteIsWholeOrNotAtAllWheneverTheProcessIsKilled(t *testing.T) {
	for range 15 {
		dir := t.TempDir()
		last := replaceUntilKilled(t, dir)
		s := open(t, dir)
		f, err := s.Get(t.Context(), numberedLarge(0).Ref)
		if err != nil {
			t.Fatalf("after write %d: %v", last, err)
		}
		if f.Code != numberedLarge(last).Code && f.Code != numberedLarge(last+1).Code || f.Hash != function.HashOf(f.Code) {
			t.Errorf("write %d was acknowledged, stored is %.10q… of %d bytes", last, f.Code, len(f.Code))
		}
	}
}

// replaceUntilKilled kills a process at any moment after its third write, and returns the last that it acknowledged.
func replaceUntilKilled(t *testing.T, dir string) (last int) {
	t.Helper()
	cmd, out := startHelper(t, helperDir+"="+dir, helperReplaces+"=1")
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var err error
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		if last == 3 {
			time.AfterFunc(rand.N(20*time.Millisecond), func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // it was killed
	return last
}
