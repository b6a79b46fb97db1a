package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pieces remembers each Write, and fails while fail is set.
type pieces struct {
	mu   sync.Mutex
	all  []string
	fail error
	part int // how much of a Write that fails is written all the same
}

func (p *pieces) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		b = b[:min(p.part, len(b))]
	}
	if len(b) > 0 {
		p.all = append(p.all, string(b))
	}
	return len(b), p.fail
}

func (p *pieces) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.all
	p.all = nil
	return all
}

func (p *pieces) failWith(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}

// stopped is a reader that takes nothing but what it is let to.
type stopped struct {
	pieces
	let chan struct{}
}

func (s *stopped) Write(b []byte) (int, error) {
	<-s.let
	return s.pieces.Write(b)
}

func notice(lines int) []byte { return fmt.Appendf(nil, "%d dropped\n", lines) }

func put(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("write: %d, %v", n, err)
	}
}

func closeSink(t *testing.T, s *Sink) {
	t.Helper()
	if lost := s.Close(t.Context()); lost != 0 {
		t.Errorf("lost %d lines", lost)
	}
}

func TestSinkWritesWithinItsDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &pieces{}
		sink := NewSink(out)
		one, two := sink.Stream(StreamOptions{}), sink.Stream(StreamOptions{})
		for range 3 {
			put(t, one, "one\n")
			time.Sleep(gatherDelay / 2)
			put(t, two, "two\n")
			put(t, one, "three\n")
			synctest.Wait()
			if early := out.take(); early != nil {
				t.Errorf("wrote %q early", early)
			}
			time.Sleep(gatherDelay / 2)
			synctest.Wait()
			if got := out.take(); len(got) != 1 || got[0] != "one\ntwo\nthree\n" {
				t.Errorf("wrote %q", got)
			}
			time.Sleep(time.Hour)
		}
		closeSink(t, sink)
	})
}

func TestSinkWritesAFullBatchAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &pieces{}
		sink := NewSink(out)
		stream := sink.Stream(StreamOptions{})
		line := strings.Repeat("x", gatherSize/2-1) + "\n"
		put(t, stream, line)
		put(t, stream, line)
		synctest.Wait()
		if got := out.take(); len(got) != 1 || len(got[0]) != 2*len(line) {
			t.Errorf("wrote %d pieces", len(got))
		}
		closeSink(t, sink)
	})
}

func TestSinkLosesNothingAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &pieces{}
		sink := NewSink(out)
		stream := sink.Stream(StreamOptions{})
		put(t, stream, "one\n")
		closeSink(t, sink)
		if got := strings.Join(out.take(), "|"); got != "one\n" {
			t.Errorf("wrote %q", got)
		}
		put(t, stream, "late\n") // must neither wait nor fail
		if lost := sink.Close(t.Context()); lost != 1 {
			t.Errorf("lost %d lines", lost)
		}
	})
}

func TestStoppedReaderHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stopped{let: make(chan struct{})}
		sink := NewSink(out)
		var dropped int
		chatty := sink.Stream(StreamOptions{Notice: notice, Dropped: func(lines int) { dropped += lines }})
		quiet := sink.Stream(StreamOptions{Notice: notice})
		line := strings.Repeat("x", 1023) + "\n"
		const room, lines = streamSize / 1024, 3 * streamSize / 1024
		for range lines {
			put(t, chatty, line)
		}
		put(t, quiet, "quiet\n") // has room of its own
		if dropped != lines-room {
			t.Errorf("dropped %d lines, want %d", dropped, lines-room)
		}
		close(out.let)
		synctest.Wait()
		put(t, chatty, "back\n")
		closeSink(t, sink)
		want := strings.Repeat(line, room) + "quiet\n" + fmt.Sprintf("%d dropped\n", lines-room) + "back\n"
		if got := strings.Join(out.take(), ""); got != want {
			t.Errorf("wrote %d bytes, want %d; the end is %q", len(got), len(want), got[max(0, len(got)-100):])
		}
	})
}

func TestCloseDoesNotWaitForAStoppedReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stopped{let: make(chan struct{})}
		sink := NewSink(out)
		stream := sink.Stream(StreamOptions{})
		put(t, stream, "one\n")
		time.Sleep(time.Hour) // it is being written now
		put(t, stream, "two\n")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if lost := sink.Close(ctx); lost != 2 {
			t.Errorf("lost %d lines", lost)
		}
		close(out.let)
		closeSink(t, sink)
		if got := strings.Join(out.take(), "|"); got != "one\n|two\n" {
			t.Errorf("wrote %q", got)
		}
	})
}

func TestLinesOfAFailedWriteAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &pieces{fail: errors.New("disk full"), part: 5}
		sink := NewSink(out)
		dropped := 0
		stream := sink.Stream(StreamOptions{Notice: notice, Dropped: func(lines int) { dropped += lines }})
		other := sink.Stream(StreamOptions{Notice: notice})
		put(t, stream, "one\n")
		put(t, stream, "two\n")
		time.Sleep(time.Second)
		put(t, stream, "three\n") // with a notice, which is lost too
		time.Sleep(time.Second)
		out.failWith(nil)
		put(t, other, "other\n")
		time.Sleep(time.Second)
		closeSink(t, sink)
		if got := strings.Join(out.take(), "|"); dropped != 3 || got != "one\nt|\n2 dr|\nother\n|3 dropped\n" {
			t.Errorf("dropped %d, wrote %q", dropped, got)
		}
	})
}

func TestSinkNeverTearsALine(t *testing.T) {
	out := &pieces{}
	sink := NewSink(out)
	stream := sink.Stream(StreamOptions{})
	line := strings.Repeat("x", 999) + "\n"
	long := strings.Repeat("y", 2*streamSize) + "\n"
	put(t, sink.Stream(StreamOptions{}), long) // there is room for any line when nothing else of its stream waits
	for range 500 {
		put(t, stream, line)
	}
	closeSink(t, sink)
	all := out.take()
	for _, piece := range all {
		if !strings.HasSuffix(piece, "\n") {
			t.Errorf("a piece of %d bytes ends with %q", len(piece), piece[len(piece)-1])
		}
	}
	if got, want := len(strings.Join(all, "")), 500*len(line)+len(long); got != want {
		t.Errorf("wrote %d bytes, want %d", got, want)
	}
}

func TestStreamsKeepTheirOrder(t *testing.T) {
	out := &pieces{}
	sink := NewSink(out)
	var group sync.WaitGroup
	const streams, lines = 8, 2000
	for i := range streams {
		stream := sink.Stream(StreamOptions{})
		group.Go(func() {
			for j := range lines {
				_, _ = fmt.Fprintf(stream, "%d %d\n", i, j)
			}
		})
	}
	group.Wait()
	closeSink(t, sink)
	var next [streams]int
	for line := range strings.Lines(strings.Join(out.take(), "")) {
		var i, j int
		if _, err := fmt.Sscanf(line, "%d %d\n", &i, &j); err != nil || j != next[i] {
			t.Fatalf("line %q, want %d of that stream", line, next[i])
		}
		next[i]++
	}
	for i, n := range next {
		if n != lines {
			t.Errorf("stream %d has %d lines", i, n)
		}
	}
}

func BenchmarkStreamLine(b *testing.B) {
	sink := NewSink(io.Discard)
	defer sink.Close(context.Background())
	stream := sink.Stream(StreamOptions{})
	line := []byte("PUT /functions/a/b/run 200 17 - 1.235 ms\n")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = stream.Write(line)
	}
}
