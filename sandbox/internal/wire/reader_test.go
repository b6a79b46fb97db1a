package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// readAll returns the lines of r and the error that ended them.
func readAll(r *Reader) (lines []string, err error) {
	for {
		line, err := r.Next()
		if err != nil {
			return lines, err
		}
		lines = append(lines, string(line))
	}
}

func TestReaderAtItsLimits(t *testing.T) {
	const buffer = 16 << 10
	x := func(n int) string { return strings.Repeat("x", n) }
	for name, row := range map[string]struct {
		limit  int
		stream string
		lines  int
		err    error
	}{
		"nothing":                          {10, "", 0, io.EOF},
		"empty lines":                      {10, "\n\n\n", 3, io.EOF},
		"at the limit":                     {10, x(10) + "\n", 1, io.EOF},
		"one byte over":                    {10, "a\n" + x(11) + "\n", 1, ErrTooLong},
		"no newline at the end":            {10, "a\nb", 1, io.ErrUnexpectedEOF},
		"a limit of nothing":               {0, "\n\na\n", 2, ErrTooLong},
		"as long as the buffer":            {1 << 20, x(buffer-1) + "\n" + x(buffer) + "\n" + x(buffer+1) + "\n", 3, io.EOF},
		"a limit of the buffer":            {buffer, x(buffer) + "\n", 1, io.EOF},
		"one byte over that":               {buffer, x(buffer+1) + "\n", 0, ErrTooLong},
		"a limit above the buffer":         {3 * buffer, x(3*buffer) + "\n" + x(3*buffer) + "\n", 2, io.EOF},
		"one byte over that too":           {3 * buffer, x(3*buffer+1) + "\n", 0, ErrTooLong},
		"a long line without its end":      {3 * buffer, x(2 * buffer), 0, io.ErrUnexpectedEOF},
		"a long line and short ones":       {3 * buffer, "a\n" + x(2*buffer) + "\nb\n", 3, io.EOF},
		"longer than what is kept":         {4 * keepLong, x(2*keepLong) + "\n" + x(2*buffer) + "\n", 2, io.EOF},
		"no end, over the limit by far":    {buffer, x(50 * buffer), 0, ErrTooLong},
		"carriage returns are of the line": {3, "a\r\n\r\n", 2, io.EOF},
	} {
		for kind, chunks := range map[string]func(io.Reader) io.Reader{
			"all at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader,
			"by halves": iotest.HalfReader, "with the error": iotest.DataErrReader,
		} {
			lines, err := readAll(NewReader(chunks(strings.NewReader(row.stream)), row.limit))
			if len(lines) != row.lines || !errors.Is(err, row.err) {
				t.Errorf("%s, %s: %d lines, %v; want %d, %v", name, kind, len(lines), err, row.lines, row.err)
			}
			if !strings.HasPrefix(row.stream, strings.Join(append(lines, ""), "\n")) {
				t.Errorf("%s, %s: other lines than were written", name, kind)
			}
		}
	}
}

// endless gives x for ever and counts what it gave.
type endless struct{ given int }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	e.given += len(b)
	return len(b), nil
}

func TestReaderStopsSoonAfterItsLimit(t *testing.T) {
	stream := new(endless)
	if _, err := NewReader(stream, 100<<10).Next(); !errors.Is(err, ErrTooLong) {
		t.Fatalf("got %v", err)
	}
	if stream.given > 100<<10+2*16<<10 {
		t.Errorf("read %d bytes of a line that may have %d", stream.given, 100<<10)
	}
}

func TestReaderGivesTheErrorOfItsStream(t *testing.T) {
	cause := errors.New("the cable is cut")
	for _, begin := range []string{"", "half a li", strings.Repeat("x", 40<<10)} {
		r := NewReader(io.MultiReader(strings.NewReader("a\n"+begin), iotest.ErrReader(cause)), 1<<20)
		if lines, err := readAll(r); len(lines) != 1 || !errors.Is(err, cause) {
			t.Errorf("after %d bytes: %q, %v", len(begin), lines, err)
		}
	}
}

func TestBufferedCountsWhatWasNotAskedFor(t *testing.T) {
	r := NewReader(strings.NewReader("a\nbc\n"), 10)
	for _, want := range []int{3, 0} {
		if _, err := r.Next(); err != nil || r.Buffered() != want {
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

func FuzzReader(f *testing.F) {
	f.Add([]byte("a\nbb\n\nccc"), []byte{0}, 2, uint16(1))
	f.Add([]byte("{}\n"), []byte{255, 0, 3}, 1<<15, uint16(20_000))
	f.Add([]byte(""), []byte{}, 0, uint16(0))
	f.Fuzz(func(t *testing.T, stream, sizes []byte, limit int, stretch uint16) {
		// Every 'a' becomes so many, so that lines outgrow the buffer without an enormous input.
		if bytes.Count(stream, []byte("a")) < 8 {
			stream = bytes.ReplaceAll(stream, []byte("a"), bytes.Repeat([]byte("a"), int(stretch)))
		}
		lines, err := readAll(NewReader(&chunked{rest: stream, sizes: sizes}, limit))
		parts := strings.Split(string(stream), "\n")
		whole, rest := parts[:len(parts)-1], parts[len(parts)-1]
		for i, line := range lines {
			if i >= len(whole) || line != whole[i] || len(line) > limit {
				t.Fatalf("line %d is %q", i, line)
			}
		}
		switch {
		case len(lines) < len(whole):
			if !errors.Is(err, ErrTooLong) || len(whole[len(lines)]) <= limit {
				t.Errorf("line %d of %d bytes, limit %d: %v", len(lines), len(whole[len(lines)]), limit, err)
			}
		case rest == "":
			if !errors.Is(err, io.EOF) {
				t.Errorf("at the end: %v", err)
			}
		case len(rest) <= limit:
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("in a line at the end: %v", err)
			}
		default:
			if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrTooLong) {
				t.Errorf("in a line at the end, over the limit: %v", err)
			}
		}
	})
}
