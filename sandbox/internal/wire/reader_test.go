package wire

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// tight are limits that lines of tests can come near.
var tight = Limits{Answer: 100 << 10, Logs: 10 << 10}

// frameOf is a line of size bytes of the type, without its newline; kind may be anything.
func frameOf(kind string, size int) string {
	begin, end := `{"type":"`+kind+`","id":"g1"`, `}`
	switch kind {
	case Result:
		begin, end = begin+`,"reusable":true,"status":200,"headers":[],"body":"`, `"}`
	case Error:
		begin, end = begin+`,"reusable":true,"status":0,"message":"`, `","text":"","stack":"","frames":"","headers":[]}`
	case Log:
		begin, end = begin+`,"level":"info","text":"`, `"}`
	case Head:
		begin, end = begin+`,"status":200,"headers":[["`, `",""]]}`
	}
	return begin + strings.Repeat("x", max(size-len(begin)-len(end), 0)) + end
}

// longestChunk is a chunk of as many bytes as may be.
var longestChunk = `{"type":"chunk","id":"g1","size":65536}` + "\n" + strings.Repeat("\x00\xff\n{", MaxChunk/4)

// readAll counts the frames of r and returns the error that ended them.
func readAll(r *Reader) (frames int, err error) {
	for {
		if _, err := r.Next("g1"); err != nil {
			return frames, err
		}
		frames++
	}
}

func TestReaderAtItsLimits(t *testing.T) {
	const pending = `{"type":"pending","id":"g1"}` + "\n"
	result := func(size int) string { return frameOf(Result, size) + "\n" }
	for name, row := range map[string]struct {
		stream string
		frames int
		err    error
	}{
		"nothing":                       {"", 0, io.EOF},
		"some":                          {pending + pending + result(100), 3, io.EOF},
		"at the limit":                  {result(tight.Answer), 1, io.EOF},
		"one byte over":                 {pending + result(tight.Answer+1), 1, ErrTooLong},
		"no newline at the end":         {pending + `{"ty`, 1, io.ErrUnexpectedEOF},
		"as long as the buffer":         {result(headRoom-1) + result(headRoom) + result(headRoom+1), 3, io.EOF},
		"as long as what comes first":   {result(4*headRoom) + result(4*headRoom+1) + pending, 3, io.EOF},
		"a long line without its end":   {frameOf(Result, 2*headRoom), 0, io.ErrUnexpectedEOF},
		"a long line and short ones":    {pending + result(2*headRoom) + pending, 3, io.EOF},
		"no end, over the limit by far": {frameOf(Result, 50*tight.Answer), 0, ErrTooLong},
		"a long log line":               {frameOf(Log, 60<<10) + "\n", 1, io.EOF},
		"a log line over its limit":     {frameOf(Log, 61<<10+1) + "\n", 0, ErrTooLong},
		"a long error":                  {frameOf(Error, tight.Answer) + "\n", 1, io.EOF},
		"a long frame without data":     {frameOf(Pending, 1025) + "\n", 0, ErrTooLong},
		"a long head":                   {frameOf(Head, 60<<10) + "\n", 1, io.EOF},
		"a head over its limit":         {frameOf(Head, headLine+1) + "\n", 0, ErrTooLong},
		"chunks as long as may be":      {pending + longestChunk + longestChunk + pending, 4, io.EOF},
		"a chunk that lacks a byte":     {longestChunk[:len(longestChunk)-1], 0, io.ErrUnexpectedEOF},
		"a chunk that lacks all":        {`{"type":"chunk","id":"g1","size":1}` + "\n", 0, io.ErrUnexpectedEOF},
		"a chunk and a byte":            {longestChunk + "x" + pending, 1, nil},
		"a chunk with a long line":      {frameOf(Chunk, shortLine+1) + "\n", 0, ErrTooLong},
		"a long greeting":               {frameOf(Ready, 1<<20), 0, nil},
		"a long line of no type":        {frameOf("exec", 1<<20), 0, nil},
	} {
		for kind, chunks := range map[string]func(io.Reader) io.Reader{
			"all at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader,
			"by halves": iotest.HalfReader, "with the error": iotest.DataErrReader,
		} {
			frames, err := readAll(NewReader(chunks(strings.NewReader(row.stream)), tight))
			if frames != row.frames || row.err != nil && !errors.Is(err, row.err) {
				t.Errorf("%s, %s: %d frames, %v; want %d, %v", name, kind, frames, err, row.frames, row.err)
			}
		}
	}
}

// endless gives begin, then x for ever, and counts what it gave.
type endless struct {
	begin string
	given int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.begin)
	e.begin = e.begin[n:]
	for i := range b[n:] {
		b[n+i] = 'x'
	}
	e.given += len(b)
	return len(b), nil
}

// A line is read no further than it must be to know that it is none.
func TestReaderStopsSoonAfterItsLimit(t *testing.T) {
	for begin, limit := range map[string]int{
		`{"type":"result","id":"g1","reusable":true,"status":200,"headers":[],"body":"`: tight.Answer,
		`{"type":"error","id":"g1","reusable":true,"status":0,"message":"`:              tight.Answer,
		`{"type":"log","id":"g1","level":"info","text":"`:                               61 << 10,
		`{"type":"span","id":"g1","span":0,"tags":[["a","`:                              32 << 10,
		`{"type":"pending","id":"g1"`:                                                   0,
		`{"type":"oversize","id":"g1","reusable":true,"size":1`:                         0,
		`{"type":"result","id":"g2","reusable":true,"status":200,"headers":[],"body":"`: 0,
		`{"type":"ready","pid":1,"node":"`:                                              0,
		`{"type":"exec","id":"g1","body":"`:                                             0,
		`{"type":"`:                                                                     0,
		``:                                                                              0,
	} {
		stream := &endless{begin: begin}
		if _, err := NewReader(stream, tight).Next("g1"); err == nil {
			t.Fatalf("%s: taken for a frame", begin)
		}
		if stream.given > limit+2*headRoom {
			t.Errorf("%s: read %d bytes of a line that may have %d", begin, stream.given, limit)
		}
	}
}

func TestReaderGivesTheErrorOfItsStream(t *testing.T) {
	cause := errors.New("the cable is cut")
	for _, begin := range []string{"", `{"type":"re`, frameOf(Result, 40<<10)} {
		r := NewReader(io.MultiReader(strings.NewReader(frameOf(Pending, 0)+"\n"+begin), iotest.ErrReader(cause)), roomy)
		if frames, err := readAll(r); frames != 1 || !errors.Is(err, cause) {
			t.Errorf("after %d bytes: %d frames, %v", len(begin), frames, err)
		}
	}
}

func TestBufferedCountsWhatWasNotAskedFor(t *testing.T) {
	frame := frameOf(Pending, 0) + "\n"
	r := NewReader(strings.NewReader(frame+frame), tight)
	for _, want := range []int{len(frame), 0} {
		if _, err := r.Next("g1"); err != nil || r.Buffered() != want {
			t.Errorf("%v: %d bytes are buffered, want %d", err, r.Buffered(), want)
		}
	}
}

// chunked gives its bytes in pieces of the given sizes, over and over.
type chunked struct {
	rest  []byte
	sizes []byte
	at    int
}

func (c *chunked) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	size := 1
	if len(c.sizes) > 0 {
		size += int(c.sizes[c.at%len(c.sizes)])
		c.at++
	}
	n := copy(b, c.rest[:min(size, len(c.rest))])
	c.rest = c.rest[n:]
	return n, nil
}

// However a stream is cut into pieces, the same frames are read from it, and the same fault ends them.
func FuzzReader(f *testing.F) {
	f.Add([]byte(frameOf(Pending, 0)+"\n"+frameOf(Result, 100)+"\nccc"), []byte{0}, uint16(1))
	f.Add([]byte(frameOf(Result, 100)+"\n"), []byte{255, 0, 3}, uint16(20_000))
	f.Add([]byte(frameOf(Log, 100)+"\n"), []byte{7}, uint16(1000))
	f.Add([]byte(""), []byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, stream, sizes []byte, stretch uint16) {
		// Every run of x becomes so much longer, so that lines outgrow the buffer without an enormous input.
		text := string(stream)
		if strings.Count(text, "xx") < 8 {
			text = strings.ReplaceAll(text, "xx", strings.Repeat("x", int(stretch)))
		}
		frames, err := readAll(NewReader(&chunked{rest: []byte(text), sizes: sizes}, tight))
		again, err2 := readAll(NewReader(strings.NewReader(text), tight))
		if frames != again || err.Error() != err2.Error() {
			t.Errorf("%d frames and %v in pieces, %d and %v at once", frames, err, again, err2)
		}
		if frames > strings.Count(text, "\n") {
			t.Errorf("%d frames in %q", frames, text)
		}
	})
}

// A chunk is valid until the next frame is read, and costs no memory of its own.
func TestChunksComeInOnePlace(t *testing.T) {
	const chunks = 50
	small := `{"type":"chunk","id":"g1","size":2}` + "\n\x00\xff"
	r := NewReader(strings.NewReader(strings.Repeat(small+longestChunk, chunks)), tight)
	taken, _ := costOf(func() {
		for n := range 2 * chunks {
			frame, err := r.Next("g1")
			want := 2
			if n%2 == 1 {
				want = MaxChunk
			}
			if err != nil || len(frame.Bytes) != want || frame.Bytes[0] != 0 || frame.Bytes[1] != 0xff {
				t.Fatalf("chunk %d: %.60v, %v", n, frame, err)
			}
		}
	})
	if most := 8 * MaxChunk; taken > most {
		t.Errorf("%d chunks took %d bytes, want at most %d", 2*chunks, taken, most)
	}
}

// What a worker has sent is not held while it is idle.
func TestTheEndOfAStreamGivesItsMemoryBack(t *testing.T) {
	for _, last := range []string{
		`{"type":"end","id":"g1","reusable":true}`,
		`{"type":"error","id":"g1","reusable":true,"status":0,"message":"","text":"","stack":"","frames":"","headers":[]}`,
		frameOf(Error, 20_000), // more than the reader's buffer holds
	} {
		r := NewReader(strings.NewReader(longestChunk+last+"\n"), tight)
		if frames, err := readAll(r); frames != 2 || !errors.Is(err, io.EOF) || r.chunk != nil {
			t.Errorf("%d frames, %v, %d bytes are held", frames, err, cap(r.chunk))
		}
	}
}
