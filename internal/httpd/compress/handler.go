// Package compress sends answers in gzip to callers who accept it.
package compress

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"runtime"
	"strconv"
	"sync"

	"github.com/backstage/functions/internal/httpd/answer"
)

// shortest is the least length of an answer that is compressed, in bytes: below it nothing is won.
const shortest = 1 << 10

// maxStreams is how many answers without a known length are compressed at a time, each with about a megabyte of
// memory. Others are sent as they are.
const maxStreams = 64

// level is that of nginx by default: half of the size for a small part of the time that the best takes.
const level = gzip.BestSpeed

// limits bound what handlers compress at a time.
type limits struct {
	whole   chan struct{} // has a value for each processor that compresses
	streams chan struct{} // as above, for each stream
}

// handler compresses what next answers.
type handler struct {
	next   http.Handler
	packed func(*http.Request)
	limits
}

// New returns what puts a handler around another: it compresses what that answers, where that is worth it and allowed.
// All of its handlers share the limits. Packed, which may be nil, is called once the answer to r, as a whole, has been
// compressed, before it is sent: the text itself is not needed any more. All are safe for concurrent use.
func New(packed func(r *http.Request)) func(next http.Handler) http.Handler {
	if packed == nil {
		packed = func(*http.Request) {}
	}
	shared := limits{make(chan struct{}, runtime.GOMAXPROCS(0)), make(chan struct{}, maxStreams)}
	return func(next http.Handler) http.Handler { return &handler{next, packed, shared} }
}

// ServeHTTP implements http.Handler. An answer that next cuts off, with a panic, is not completed.
func (c *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := &writer{ResponseWriter: w, handler: c, request: r}
	defer out.release()
	c.next.ServeHTTP(out, r)
	out.end()
}

// writer decides with the head of the answer. It is used by one goroutine at a time.
type writer struct {
	http.ResponseWriter
	handler *handler
	request *http.Request

	status int          // 0 until the answer has begun
	length int          // of an answer that is compressed once all of it is there; 0 for others, and when it is sent
	held   bytes.Buffer // what there is of it
	gzip   *gzip.Writer // of a stream; nil if it is sent as it is
}

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	h := w.Header()
	if !mayDiffer(status, h) {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	answer.AddVary(h, "Accept-Encoding")
	length, err := strconv.Atoi(h.Get("Content-Length"))
	switch {
	case w.request.Method == http.MethodHead || status == http.StatusNotModified || !accepted(w.request.Header):
	case err == nil && length >= shortest:
		w.length = length
		return // the head waits for the length in gzip
	case err != nil && w.takeStream():
		encode(h)
		w.gzip = gzipWriters.Get().(*gzip.Writer) //nolint:forcetypeassert // see there
		w.gzip.Reset(w.ResponseWriter)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) takeStream() bool {
	select {
	case w.handler.streams <- struct{}{}:
		return true
	default:
		return false
	}
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.length > 0:
		return w.writeWhole(p)
	case w.gzip != nil:
		return w.gzip.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// FlushError is for http.ResponseController. What is compressed as a whole is not sent before.
func (w *writer) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.length > 0 {
		return nil
	}
	if w.gzip != nil {
		if err := w.gzip.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// end completes the answer.
func (w *writer) end() {
	switch {
	case w.length > 0:
		w.sendWhole()
	case w.gzip != nil:
		_ = w.gzip.Close() // an error says that the caller is gone
	}
}

// release gives back what a stream has.
func (w *writer) release() {
	if w.gzip != nil {
		gzipWriters.Put(w.gzip)
		<-w.handler.streams
	}
}

var gzipWriters = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, level) // the level is valid
	return w
}}
