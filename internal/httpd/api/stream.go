package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/answer"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
)

// Unread is what is asked of the callers of streams that may have stopped to read. Its functions are called for a
// request whose handler runs; Taken and Cut from any goroutine.
type Unread struct {
	// Begin is told that the answer to r is a stream. Taken returns a number that grows whenever the caller of r takes
	// something, Cut ends the answer at once. Nil has nobody asked.
	Begin func(r *http.Request)
	Taken func(r *http.Request) uint64
	Cut   func(r *http.Request)
}

// stream is the caller of one call, where its function may stream the answer. It is used by one goroutine at a time.
type stream struct {
	w  http.ResponseWriter
	r  *http.Request
	of *server
	// namespace is that of the function that is called, if it is one; else these steps are.
	namespace string
	steps     []function.Ref

	begun   bool
	flushed bool
	ctx     context.Context // since then; ends when its caller may not have it any more
	cancel  context.CancelFunc
}

// watch has the context end with the right of the caller to run what is called.
func (s *stream) watch() {
	namespaces := []string{s.namespace}
	if s.steps != nil {
		namespaces = namespacesOf(s.steps)
	}
	s.ctx, s.cancel = s.of.whileAllowed(s.r, namespaces...)
}

// close lets go of what a stream has.
func (s *stream) close() {
	if s.cancel != nil {
		s.cancel()
	}
}

// errHeadOnly ends a stream whose caller needs no more than its head.
var errHeadOnly = errors.New("api: the caller needs no more than the head of the answer")

// begin sends the head of the answer. What cannot be sent is an error, and can still be answered with another status.
func (s *stream) begin(head sandbox.StreamHead) (io.Writer, error) {
	if err := checkHead(head.Status, head.Header); err != nil {
		return nil, err
	}
	h := s.w.Header()
	setHeaders(h, head.Header)
	setTypeOfBytes(h)
	status := head.Status
	if isFresh(s.r, status, h) {
		status = http.StatusNotModified
	}
	s.begun = true
	s.watch()
	if rec, ok := s.w.(*answer.Recorder); ok {
		rec.OfFunction = true
	}
	if status == http.StatusResetContent { // see sendBytes
		send(s.w, s.r, status, nil)
		return nil, errHeadOnly
	}
	if !hasBody(status) {
		sendEmpty(s.w, status)
		return nil, errHeadOnly
	}
	s.w.WriteHeader(status)
	if s.r.Method == http.MethodHead {
		return nil, errHeadOnly
	}
	if s.of.Unread.Begin != nil {
		s.of.Unread.Begin(s.r)
	}
	return &streamWriter{to: s.w, control: http.NewResponseController(s.w), stream: s}, nil
}

// streamWriter sends the bytes of a stream; whoever writes says when nothing more is there, to have them sent.
type streamWriter struct {
	to      io.Writer
	control *http.ResponseController
	stream  *stream
	written atomic.Uint64 // pieces
}

// streamPiece is the most that is written at once over HTTP/2, where nothing else tells that a caller reads slowly.
const streamPiece = 16 << 10

func (w *streamWriter) Write(p []byte) (written int, err error) {
	if w.stream.r.ProtoMajor < 2 {
		return w.to.Write(p)
	}
	for written < len(p) && err == nil {
		n := 0
		n, err = w.to.Write(p[written:min(len(p), written+streamPiece)])
		written += n
		w.written.Add(1)
	}
	return written, err
}

// Context is for the pool, whose worker ends with it.
func (w *streamWriter) Context() context.Context { return w.stream.ctx }

// Taken is for the pool, and called while a write lasts.
func (w *streamWriter) Taken() uint64 {
	if w.stream.of.Unread.Taken == nil {
		return w.written.Load()
	}
	return w.written.Load() + w.stream.of.Unread.Taken(w.stream.r)
}

// Cut is for the pool, which has no more for the caller: it is called while a write lasts.
func (w *streamWriter) Cut() {
	if w.stream.of.Unread.Cut != nil {
		w.stream.of.Unread.Cut(w.stream.r)
	}
}

// Flush sends what net/http holds back, and the head before the first byte.
func (w *streamWriter) Flush() error {
	w.stream.flushed = true
	return w.control.Flush()
}

// endStream ends the answer that has begun. Nothing else can be answered any more: after an error what was written
// before it is sent, then the connection is cut, or the stream of HTTP/2 reset, so that the answer does not look whole.
// A stream that was there at once is sent before its end, too: net/http would give it a Content-Length.
func (s *server) endStream(stream *stream, err error) {
	if errors.Is(err, errHeadOnly) {
		return
	}
	if err == nil {
		if !stream.flushed {
			_ = http.NewResponseController(stream.w).Flush() // fails where the caller is gone
		}
		return
	}
	o := outcome.Of(err)
	if o.Hidden {
		s.logFailure(stream.r, slog.LevelError, "Stream failed", err)
	}
	s.logDeath(stream.r, o, err)
	if rec, ok := stream.w.(*answer.Recorder); ok {
		rec.Aborted = true
	}
	_ = http.NewResponseController(stream.w).Flush() // fails where the caller is gone, or takes nothing
	panic(http.ErrAbortHandler)
}
