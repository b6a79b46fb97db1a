package body

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
)

// The content encodings that are read (RFC 9110, section 8.4.1). Deflate is the zlib format (RFC 1950); bare deflate
// data, which some old clients send under that name, is refused as body-parser refuses it.
const (
	identity = "identity"
	deflate  = "deflate"
	gzipped  = "gzip"
)

// inflaterSize is about what it takes to decompress, apart from the output: its window and its tables.
const inflaterSize = 48 << 10

// contentEncoding is the content encoding that h names, in lower case.
func contentEncoding(h http.Header) string {
	encoding := strings.ToLower(strings.Join(h["Content-Encoding"], ", "))
	if encoding == "" {
		return identity
	}
	return encoding
}

func knownEncoding(encoding string) bool {
	return encoding == identity || encoding == gzipped || encoding == deflate
}

// inflate returns a reader of what r holds under encoding, which must be a known one.
func inflate(encoding string, r io.Reader) (io.Reader, error) {
	switch encoding {
	case gzipped:
		return newMembers(r)
	case deflate:
		return zlib.NewReader(r)
	default:
		return r, nil
	}
}

// members reads the concatenated members of a gzip file (RFC 1952, section 2.2). Unlike gzip.Reader it accepts zero
// bytes after the last one, as padding.
type members struct {
	src *bufio.Reader
	zip gzip.Reader
}

func newMembers(r io.Reader) (*members, error) {
	m := &members{src: bufio.NewReader(r)}
	if err := m.open(); err != nil {
		return nil, err
	}
	return m, nil
}

// open starts reading the next member.
func (m *members) open() error {
	// gzip.Reader would call two bytes of something else a header cut short.
	if magic, err := m.src.Peek(2); err == nil && (magic[0] != 0x1f || magic[1] != 0x8b) {
		return gzip.ErrHeader
	}
	err := m.zip.Reset(m.src)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	m.zip.Multistream(false)
	return err
}

func (m *members) Read(p []byte) (int, error) {
	n, err := m.zip.Read(p)
	if err != io.EOF { //nolint:errorlint // a Reader returns it as it is
		return n, err
	}
	next, err := m.src.Peek(1)
	if err != nil {
		return n, err
	}
	if next[0] == 0 {
		return n, io.EOF
	}
	return n, m.open()
}
