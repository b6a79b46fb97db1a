package logs

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pieces remembers each Write, and fails while fail is set.
type pieces struct {
	mu    sync.Mutex
	all   []string
	fail  error
	total int
}

func (p *pieces) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return 0, p.fail
	}
	p.all = append(p.all, string(b))
	p.total += len(b)
	return len(b), nil
}

func (p *pieces) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.all
	p.all = nil
	return all
}

func put(t *testing.T, b *Buffer, text string) {
	t.Helper()
	if n, err := b.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
}

func TestBufferWritesWithinItsDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &pieces{}
		b := NewBuffer(out)
		for range 3 {
			put(t, b, "one\n")
			time.Sleep(bufferDelay / 2)
			put(t, b, "two\n")
			synctest.Wait()
			if early := out.take(); early != nil {
				t.Errorf("wrote %q early", early)
			}
			time.Sleep(bufferDelay / 2)
			synctest.Wait()
			if got := out.take(); len(got) != 1 || got[0] != "one\ntwo\n" {
				t.Errorf("wrote %q", got)
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestBufferLosesNothingAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &pieces{}
		b := NewBuffer(out)
		put(t, b, "one\n")
		for range 2 {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
		put(t, b, "late\n")
		if got := strings.Join(out.take(), "|"); got != "one\n|late\n" {
			t.Errorf("wrote %q", got)
		}
	})
}

func TestBufferNeverTearsALine(t *testing.T) {
	out := &pieces{}
	b := NewBuffer(out)
	line := strings.Repeat("x", 999) + "\n"
	for range 500 {
		put(t, b, line)
	}
	put(t, b, strings.Repeat("y", 2*bufferSize)+"\n")
	put(t, b, line)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, piece := range out.take() {
		if !strings.HasSuffix(piece, "\n") || len(piece) > bufferSize && piece[0] != 'y' {
			t.Errorf("a piece of %d bytes ends with %q", len(piece), piece[len(piece)-1])
		}
	}
	if want := 501*len(line) + 2*bufferSize + 1; out.total != want {
		t.Errorf("wrote %d bytes, want %d", out.total, want)
	}
}

func TestBufferRecoversFromAFailedWrite(t *testing.T) {
	full := errors.New("disk full")
	out := &pieces{fail: full}
	b := NewBuffer(out)
	put(t, b, strings.Repeat("x", bufferSize))
	if _, err := b.Write([]byte("y")); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	out.fail = nil
	put(t, b, "z")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(out.take(), ""); got != "z" {
		t.Errorf("wrote %q", got)
	}
}

func TestBufferIsSafeForConcurrentUse(t *testing.T) {
	var out bytes.Buffer
	b := NewBuffer(&out)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5000 {
				_, _ = b.Write([]byte("a line\n"))
			}
		})
	}
	group.Wait()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if out.String() != strings.Repeat("a line\n", 40_000) {
		t.Error("lines are torn or missing")
	}
}
