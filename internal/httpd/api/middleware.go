package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/backstage/functions/internal/httpd/answer"
	"github.com/backstage/functions/internal/httpd/latin1"
)

// maxURL is the longest request URL, in bytes.
const maxURL = 64 << 10

// Answer is what AccessLog is told of an answer.
type Answer struct {
	// Route is such as "/namespaces/{namespace}"; empty when there is none.
	Route string
	// Status is 0 when the answer did not begin.
	Status int
	// Header may be read until AccessLog returns.
	Header http.Header
	// Length is its Content-Length; -1 when it has none.
	Length int64
	// Sent is how many bytes of a body were sent, and Aborted says that not all of it was.
	Sent    int64
	Aborted bool
	// Took is the time until it was written.
	Took time.Duration
	// KeyID names the key of the caller; empty without one.
	KeyID string
}

// logAccess reports each request to AccessLog and Served.
func (s *server) logAccess(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &answer.Recorder{ResponseWriter: w}
		defer func() {
			length, err := strconv.ParseInt(rec.Header().Get(headerLength), 10, 64)
			if err != nil {
				length = -1
			}
			s.recordEnd(r, rec)
			took := time.Since(start)
			s.Served(r.Context(), rec.Route, rec.Status, took)
			s.AccessLog(r, Answer{rec.Route, rec.Status, rec.Header(), length, rec.Sent, rec.Aborted, took, rec.KeyID})
		}()
		next.ServeHTTP(rec, r)
	})
}

// recoverPanics keeps a fault in one handler from ending more than its own request.
func (s *server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause)
			}
			s.Logger.LogAttrs(
				r.Context(),
				slog.LevelError,
				"Handler panicked",
				slog.String("method", r.Method),
				slog.String(
					"url",
					urlOf(r),
				),
				slog.String("panic", fmt.Sprint(cause)),
				slog.String("stack", string(debug.Stack())),
			)
			if rec, ok := w.(*answer.Recorder); ok && rec.Status != 0 {
				panic(http.ErrAbortHandler) // half an answer is out: cut it off rather than let it look whole
			}
			clear(w.Header())
			w.Header()[headerRequestID] = []string{RequestID(r.Context())}
			sendJSON(w, r, http.StatusInternalServerError, []byte(`{"error":"internal error"}`))
		}()
		next.ServeHTTP(w, r)
	})
}

// limitURL refuses URLs beyond maxURL.
func limitURL(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.RequestURI) > maxURL {
			sendJSON(w, r, http.StatusRequestURITooLong, []byte(`{"error":"URI Too Long"}`))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// urlOf is the URL of r as a text.
func urlOf(r *http.Request) string { return latin1.DecodeUnlessUTF8(r.RequestURI) }

// keepEncoding lets routes match the path as it was sent even when it holds bytes that a URL should have encoded, such
// as "{" or raw UTF-8. Package net/url would otherwise decode such a path as a whole, and every %2F in a name with it.
// Bytes that are not UTF-8 are Latin-1.
func keepEncoding(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if raw := r.URL.RawPath; raw != "" && r.URL.EscapedPath() != raw {
			u := *r.URL
			u.RawPath = encodeRest(latin1.DecodeUnlessUTF8(raw))
			if path, err := url.PathUnescape(u.RawPath); err == nil { // net/url has found its escapes well formed
				u.Path = path
			}
			r = r.WithContext(r.Context())
			r.URL = &u
		}
		next.ServeHTTP(w, r)
	})
}

// encodeRest encodes what path, whose escapes are well formed, holds apart from escapes and unreserved characters.
func encodeRest(path string) string {
	const kept = "%/-_.~!$&'()*+,;=:@[]"
	var out strings.Builder
	for i := range len(path) {
		c := path[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if letter || strings.IndexByte(kept, c) >= 0 {
			out.WriteByte(c)
			continue
		}
		fmt.Fprintf(&out, "%%%02X", c)
	}
	return out.String()
}
