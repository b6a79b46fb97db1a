package body_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/backstage/functions/internal/httpd/body"
)

func TestAnySplitOfTheStreamGivesTheSameText(t *testing.T) {
	text := `{"a":"` + strings.Repeat("é😀", 2000) + `"}`
	for name, split := range map[string]func(io.Reader) io.Reader{
		"one byte":         iotest.OneByteReader,
		"half":             iotest.HalfReader,
		"end with content": iotest.DataErrReader,
	} {
		t.Run(name, func(t *testing.T) {
			for _, content := range []string{text, compressed(t, text)} {
				r := put(split(strings.NewReader(content)))
				if content != text {
					r.Header.Set("Content-Encoding", "gzip")
				}
				got, err := body.Read(r, body.Options{Limit: int64(len(text))})
				if err != nil || string(got) != text {
					t.Errorf("got %d bytes, %v", len(got), err)
				}
			}
		})
	}
}

func TestBombIsNotInflatedPastTheLimit(t *testing.T) {
	bomb := compressed(t, strings.Repeat(" ", 1<<24))
	content := strings.NewReader(bomb)
	r := put(content)
	r.Header.Set("Content-Encoding", "gzip")
	_, err := body.Read(r, body.Options{Limit: 1 << 20})
	checkError(t, err, http.StatusRequestEntityTooLarge, "request entity too large")
	if read := len(bomb) - content.Len(); read > len(bomb)/2 {
		t.Errorf("%d of %d bytes were read", read, len(bomb))
	}
}

func TestCompressedBodyIsBoundedBeforeItIsDecompressed(t *testing.T) {
	const limit = 10_000
	stored, err := flate.NewWriter(io.Discard, flate.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	emptyBlocks := func(w io.Writer) { // each of five bytes
		stored.Reset(w)
		for range 100_000 {
			if err := stored.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var inZlib, inGzip bytes.Buffer
	inZlib.WriteString("\x78\x9c")
	emptyBlocks(&inZlib)
	inGzip.WriteString("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
	emptyBlocks(&inGzip)
	for name, row := range map[string]struct{ encoding, content string }{
		"empty members":           {"gzip", strings.Repeat(compressed(t, ""), 10_000)},
		"empty blocks in gzip":    {"gzip", inGzip.String()},
		"empty blocks in deflate": {"deflate", inZlib.String()},
		"padding":                 {"gzip", compressed(t, "{}") + strings.Repeat("\x00", 100_000)},
	} {
		for _, told := range []bool{true, false} {
			content := strings.NewReader(row.content)
			r := put(iotest.OneByteReader(content))
			if r.ContentLength = -1; told {
				r.ContentLength = int64(len(row.content))
			}
			r.Header.Set("Content-Encoding", row.encoding)
			text, err := body.Read(r, body.Options{Limit: limit})
			if name != "padding" { // which is not read
				checkError(t, err, http.StatusRequestEntityTooLarge, "request entity too large")
			} else if !told && (err != nil || string(text) != "{}") {
				t.Errorf("%s: %q, %v", name, text, err)
			}
			if read := len(row.content) - content.Len(); read > limit+limit/50+2<<10 {
				t.Errorf("%s: %d bytes were read", name, read)
			}
		}
	}
}

func TestBodyAsksForMemoryAsItGrows(t *testing.T) {
	const limit = 4 << 20
	for _, row := range []struct {
		name, content, encoding string
		promised                int64 // -1: nothing
		asked                   int   // at most
	}{
		{"a short one", `{"a":1}`, "", 7, 0},
		{"a long one", `"` + strings.Repeat("x", 1<<20) + `"`, "", 1<<20 + 2, 1<<20 + 2},
		{"of unknown length", `"` + strings.Repeat("x", 1<<20) + `"`, "", -1, 2<<20 + 1024},
		{"promised and not sent", strings.Repeat("x", 100), "", limit, 0},
		{"a part of what is promised", strings.Repeat("x", 5000), "", limit, 80 << 10},
		{"a compressed one", compressed(t, `"`+strings.Repeat("x", 1<<20)+`"`), "gzip", -1, 2<<20 + 1024 + 48<<10},
	} {
		asked := 0
		r := put(strings.NewReader(row.content))
		r.ContentLength = row.promised
		r.Header.Set("Content-Encoding", row.encoding)
		_, err := body.Read(r, body.Options{Limit: limit, Grow: func(bytes int) bool { asked += bytes; return true }})
		if short := row.promised == limit; (err != nil) != short {
			t.Errorf("%s: %v", row.name, err)
		}
		if asked > row.asked || asked == 0 && row.asked > 0 {
			t.Errorf("%s: asked for %d bytes, at most %d are wanted", row.name, asked, row.asked)
		}
		if asked == 0 {
			continue
		}
		r = put(strings.NewReader(row.content))
		r.ContentLength = row.promised
		r.Header.Set("Content-Encoding", row.encoding)
		if _, err := body.Read(r, body.Options{Limit: limit, Grow: func(int) bool { return false }}); !errors.Is(err, body.ErrNoRoom) {
			t.Errorf("%s, refused: %v", row.name, err)
		}
	}
}

func TestBodyThatIsDecodedAsksForWhatComesOfIt(t *testing.T) {
	asked := 0
	r := put(strings.NewReader(strings.Repeat("[\x00", 10) + strings.Repeat(" \x00", 10_000) + strings.Repeat("]\x00", 10)))
	r.Header.Set("Content-Type", "application/json; charset=utf-16le")
	if _, err := body.Read(r, body.Options{Limit: 1 << 20, Grow: func(bytes int) bool { asked += bytes; return true }}); err != nil {
		t.Fatal(err)
	}
	if asked < 40_000 {
		t.Errorf("asked for %d bytes", asked)
	}
}

func TestWhatCannotBeCompressedMayReachTheLimit(t *testing.T) {
	const limit = 1 << 20
	text := `"` + strings.Repeat("x", limit-2) + `"`
	var content bytes.Buffer
	w, err := gzip.NewWriterLevel(&content, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if content.Len() <= limit {
		t.Fatalf("only %d bytes", content.Len())
	}
	r := put(&content)
	r.Header.Set("Content-Encoding", "gzip")
	if got, err := body.Read(r, body.Options{Limit: limit}); err != nil || len(got) != len(text) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestDamagedCompressedDataIsRefused(t *testing.T) {
	const noSuchBlock = "\x07"
	for encoding, header := range map[string]string{
		"gzip":    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff",
		"deflate": "\x78\x9c",
	} {
		r := put(strings.NewReader(header + noSuchBlock))
		r.Header.Set("Content-Encoding", encoding)
		_, err := body.Read(r, body.Options{Limit: 100})
		checkError(t, err, http.StatusBadRequest, "invalid compressed data")
	}
}

func TestPromisedLengthIsNotBelieved(t *testing.T) {
	for _, length := range []int64{1, 1 << 40} {
		r := put(strings.NewReader("{}"))
		r.ContentLength = length
		_, err := body.Read(r, body.Options{Limit: 1 << 41})
		checkError(t, err, http.StatusBadRequest, "request size did not match content length")
	}
}

func TestHugeLimitIsNoOverflow(t *testing.T) {
	got, err := body.Read(put(strings.NewReader("[1]")), body.Options{Limit: 1<<63 - 1})
	if err != nil || string(got) != "[1]" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestZeroLimitRefusesEveryBody(t *testing.T) {
	for _, limit := range []int64{0, -1} {
		_, err := body.Read(put(strings.NewReader("1")), body.Options{Limit: limit})
		checkError(t, err, http.StatusRequestEntityTooLarge, "request entity too large")
	}
}

func TestFailureOfTheConnectionIsAnAbort(t *testing.T) {
	broken := errors.New("connection reset")
	for encoding, starts := range map[string][]string{
		"identity": {"", "{"},
		"gzip":     {"", "\x1f", "\x1f\x8b", compressed(t, "[]")[:12]},
		"deflate":  {"", "x", "x\x9c"},
	} {
		for _, start := range starts {
			r := put(io.MultiReader(strings.NewReader(start), iotest.ErrReader(broken)))
			r.Header.Set("Content-Encoding", encoding)
			_, err := body.Read(r, body.Options{Limit: 100})
			checkError(t, err, http.StatusBadRequest, "request aborted")
			if !errors.Is(err, broken) {
				t.Errorf("%s after %q: cause of %v is lost", encoding, start, err)
			}
		}
	}
}

func TestLimitOfTheServerCountsToo(t *testing.T) {
	r := put(strings.NewReader("[1,2,3]"))
	r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 3)
	_, err := body.Read(r, body.Options{Limit: 100})
	checkError(t, err, http.StatusRequestEntityTooLarge, "request entity too large")
}

func TestClientThatHangsUpIsNoticed(t *testing.T) {
	result := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := body.Read(r, body.Options{Limit: 100})
		result <- err
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{")
	conn.Close()
	err = <-result
	checkError(t, err, http.StatusBadRequest, "request aborted")
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cause of %v is lost", err)
	}
}

func compressed(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
