package logs

// streamSize is how many bytes of one stream may wait. A line that is longer is taken when nothing else of its stream
// waits.
const streamSize = 4 << 20

// StreamOptions configure a Stream. All may be nil.
type StreamOptions struct {
	// Dropped is told of lines that were not written. It must be safe for concurrent use and must not block.
	Dropped func(lines int)
	// Notice makes the line that says so, with its line break. Nil leaves it out.
	Notice func(lines int) []byte
}

// share is a part of what a Stream was given.
type share struct {
	lines, bytes int
	told         int // dropped lines that the notices among it tell of
}

// Stream is one of the logs that a Sink writes. It has a bounded share of the queue, so that no other stream can take
// its room. It is an io.Writer, safe for concurrent use.
type Stream struct {
	sink *Sink
	o    StreamOptions

	// The fields below are guarded by the sink's mutex.
	waiting, writing share
	// full is set since the last batch: what follows a dropped line is dropped too, or the count would be at the wrong
	// place.
	full   bool
	untold int // lines that were dropped and of which no notice tells
}

// Stream adds a stream.
func (s *Sink) Stream(o StreamOptions) *Stream {
	stream := &Stream{sink: s, o: o}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams = append(s.streams, stream)
	return stream
}

// Write takes one line, with its line break, which is written in one piece within 100 ms. It never waits and never
// fails: what has no room is dropped.
func (t *Stream) Write(line []byte) (int, error) {
	t.sink.mu.Lock()
	defer t.sink.mu.Unlock()
	used := t.waiting.bytes + t.writing.bytes
	if t.sink.closed || t.full || used > 0 && used+len(line) > streamSize {
		t.full = true
		t.dropLocked(1)
		return len(line), nil
	}
	t.noticeLocked()
	t.sink.appendLocked(line)
	t.waiting.lines++
	t.waiting.bytes += len(line)
	return len(line), nil
}

// settleLocked accounts for a batch that was written, or was not.
func (t *Stream) settleLocked(written bool) {
	t.full = false
	if !written {
		t.dropLocked(t.writing.lines)
		t.untold += t.writing.told
	}
	t.writing = share{}
	if written {
		t.noticeLocked()
	}
}

func (t *Stream) dropLocked(lines int) {
	t.untold += lines
	if t.o.Dropped != nil && lines > 0 {
		t.o.Dropped(lines)
	}
}

// noticeLocked makes a notice part of the next batch if lines were dropped. It stands where they would have.
func (t *Stream) noticeLocked() {
	if t.untold == 0 || t.o.Notice == nil {
		return
	}
	notice := t.o.Notice(t.untold)
	t.sink.appendLocked(notice)
	t.waiting.bytes += len(notice)
	t.waiting.told += t.untold
	t.untold = 0
}
