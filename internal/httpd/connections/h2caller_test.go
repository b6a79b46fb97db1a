package connections

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"net"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2caller speaks HTTP/2 for a caller, whose requests it takes in the text of HTTP/1.1. It reads when it is asked for
// an answer and at no other time.
type h2caller struct {
	framer *http2.Framer
	fields bytes.Buffer
	encode *hpack.Encoder
	last   uint32            // the stream that was begun last
	rest   int               // bytes of its body that are still to be sent
	wanted []uint32          // streams whose answers were not asked for, in order
	status map[uint32]int    // of streams whose answers have begun
	closed map[uint32]bool   // streams that have ended
	text   map[uint32][]byte // of answers
	away   bool              // the server has said that it will hang up
	broken bool              // it has hung up
	quiet  bool              // it may do so while something is sent
}

func newH2Caller(t *testing.T, conn net.Conn, settings ...http2.Setting) *h2caller {
	t.Helper()
	h := &h2caller{
		last: math.MaxUint32, framer: http2.NewFramer(conn, bufio.NewReader(conn)),
		status: map[uint32]int{}, closed: map[uint32]bool{}, text: map[uint32][]byte{},
	}
	h.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	h.encode = hpack.NewEncoder(&h.fields)
	if _, err := io.WriteString(conn, preface); err != nil {
		t.Fatal(err)
	}
	if err := h.framer.WriteSettings(settings...); err != nil {
		t.Fatal(err)
	}
	return h
}

// send begins a request, or goes on with the body of the last one. Headers without their end are not sent.
func (h *h2caller) send(t *testing.T, text string) {
	t.Helper()
	if h.rest > 0 {
		h.data(t, text)
		return
	}
	head, body, whole := strings.Cut(text, "\r\n\r\n")
	if !whole {
		return
	}
	lines := strings.Split(head, "\r\n")
	method, target, _ := strings.Cut(lines[0], " ")
	target, _, _ = strings.Cut(target, " ")
	h.fields.Reset()
	for _, field := range [][2]string{{":method", method}, {":scheme", "http"}, {":path", target}, {":authority", "a"}} {
		h.field(t, field[0], field[1])
	}
	h.rest = 0
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			continue
		}
		if name == "Content-Length" {
			h.rest, _ = strconv.Atoi(value)
		}
		h.field(t, strings.ToLower(name), value)
	}
	h.begin(t, body)
}

func (h *h2caller) field(t *testing.T, name, value string) {
	t.Helper()
	if err := h.encode.WriteField(hpack.HeaderField{Name: name, Value: value}); err != nil {
		t.Fatal(err)
	}
}

// begin sends the fields, in frames of at most the size that every peer takes, and what there is of the body.
func (h *h2caller) begin(t *testing.T, body string) {
	t.Helper()
	h.last += 2 // from -1 on
	h.wanted = append(h.wanted, h.last)
	block := h.fields.Bytes()
	first := block[:min(len(block), maxFrame)]
	block = block[len(first):]
	err := h.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: h.last, BlockFragment: first, EndStream: h.rest == 0, EndHeaders: len(block) == 0,
	})
	for err == nil && len(block) > 0 {
		next := block[:min(len(block), maxFrame)]
		block = block[len(next):]
		err = h.framer.WriteContinuation(h.last, len(block) == 0, next)
	}
	if err != nil && !h.quiet {
		t.Fatal(err)
	}
	if body != "" {
		h.data(t, body)
	}
}

const maxFrame = 16 << 10

func (h *h2caller) data(t *testing.T, text string) {
	t.Helper()
	for text != "" {
		part := text[:min(len(text), maxFrame)]
		text = text[len(part):]
		h.rest -= len(part)
		if err := h.framer.WriteData(h.last, h.rest == 0, []byte(part)); err != nil {
			t.Fatal(err)
		}
	}
}

// next takes one frame. It is false once the server has hung up.
func (h *h2caller) next() bool {
	if h.broken {
		return false
	}
	frame, err := h.framer.ReadFrame()
	if err != nil {
		var reset http2.StreamError
		if errors.As(err, &reset) {
			h.closed[reset.StreamID] = true
			return true
		}
		h.broken = true
		return false
	}
	h.take(frame)
	return true
}

func (h *h2caller) take(frame http2.Frame) {
	id := frame.Header().StreamID
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			_ = h.framer.WriteSettingsAck() // a failure shows in what comes next
		}
	case *http2.MetaHeadersFrame:
		h.status[id], _ = strconv.Atoi(f.PseudoValue("status"))
		h.closed[id] = f.StreamEnded()
	case *http2.DataFrame:
		h.text[id] = append(h.text[id], f.Data()[:min(len(f.Data()), 1<<10)]...)
		h.closed[id] = f.StreamEnded()
		if n := uint32(len(f.Data())); n > 0 {
			_ = h.framer.WriteWindowUpdate(0, n) // as above
			_ = h.framer.WriteWindowUpdate(id, n)
		}
	case *http2.RSTStreamFrame:
		if f.ErrCode != http2.ErrCodeNo {
			delete(h.status, id)
		}
		h.closed[id] = true
	case *http2.GoAwayFrame:
		h.away = true
	}
}

// answer is the status of the next answer; 0 when there is none.
func (h *h2caller) answer() int {
	id := h.wanted[0]
	for !h.closed[id] && h.next() {
	}
	h.wanted = h.wanted[1:]
	if !h.closed[id] {
		return 0
	}
	return h.status[id]
}

// ended says whether the server has hung up, or has said so, once it has or a frame of an answer comes.
func (h *h2caller) ended() bool {
	for !h.broken && !h.away {
		frame, err := h.framer.ReadFrame()
		if err != nil {
			return true
		}
		switch frame.(type) {
		case *http2.GoAwayFrame:
			return true
		case *http2.MetaHeadersFrame, *http2.DataFrame:
			return false
		}
	}
	return true
}

// sendQuietly is a request that is given up at once; the server may have hung up.
func (h *h2caller) sendQuietly(text string) {
	path, _, _ := strings.Cut(strings.TrimPrefix(text, "GET "), " ")
	h.fields.Reset()
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", "a"}} {
		_ = h.encode.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}) // into memory
	}
	h.last += 2
	_ = h.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: h.last, BlockFragment: h.fields.Bytes(), EndStream: true, EndHeaders: true,
	})
	_ = h.framer.WriteRSTStream(h.last, http2.ErrCodeCancel)
}
