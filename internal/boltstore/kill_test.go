package boltstore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/boltstore"
	"github.com/backstage/functions/internal/function"
)

// helperDir tells this test binary to be the process that TestNothingIsLostWhenTheProcessIsKilled kills.
const helperDir = "BOLTSTORE_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		fmt.Fprintln(os.Stderr, putForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// putForever stores functions one after the other and prints the number of each when Put has returned.
func putForever(dir string) error {
	s, err := boltstore.Open(dir)
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
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
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
