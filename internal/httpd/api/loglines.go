package api

import (
	"context"
	"crypto/md5" //nolint:gosec // see weakTag
	"net/http"
	"strconv"

	"github.com/backstage/functions/internal/function"
)

const (
	// linePart is how much of an answer with lines is made at a time, in bytes: the last line may go beyond it.
	linePart = 32 << 10
	// maxBufferedLines is the longest such answer that is kept in memory while it is sent; a longer one is made twice.
	maxBufferedLines = maxLogText + maxLogText/4
)

// part appends the first of lines with appendLine, until these make size bytes, and says how many of them. Its error is
// the end of ctx, while it waits.
func (l limiter) part(
	ctx context.Context,
	dst []byte,
	lines []function.LogLine,
	size int,
	appendLine func([]byte, *function.LogLine) []byte,
) (text []byte, n int, err error) {
	release, err := l.acquire(ctx)
	if err != nil {
		return dst, 0, err
	}
	defer release()
	for begin := len(dst); n < len(lines) && len(dst)-begin < size; n++ {
		dst = appendLine(dst, &lines[n])
	}
	return dst, n, nil
}

// appendLineOfText appends a line of an answer that is not of events.
func appendLineOfText(dst []byte, line *function.LogLine) []byte {
	return append(appendLogLine(dst, line), '\n')
}

// measured is what is known of an answer before it is sent.
type measured struct {
	length int
	tag    string
	text   []byte // all of it; nil when it is too long to be kept
}

// measure makes the answer with lines.
func (l limiter) measure(ctx context.Context, lines []function.LogLine) (m measured, err error) {
	sum, whole := md5.New(), true //nolint:gosec // see weakTag
	for n := 0; len(lines) > 0; lines = lines[n:] {
		if !whole {
			m.text = m.text[:0]
		}
		begin := len(m.text)
		if m.text, n, err = l.part(ctx, m.text, lines, linePart, appendLineOfText); err != nil {
			return m, err
		}
		_, _ = sum.Write(m.text[begin:]) // never fails
		m.length += len(m.text) - begin
		whole = m.length <= maxBufferedLines
	}
	if !whole {
		m.text = nil
	}
	m.tag = weakTagOf(m.length, sum.Sum(nil))
	return m, nil
}

// sendLines answers as send does with all lines together: with its control characters escaped a line takes up to six
// times its length, so that they are not always kept.
func (l limiter) sendLines(w http.ResponseWriter, r *http.Request, lines []function.LogLine) error {
	answer, err := l.measure(r.Context(), lines)
	if err != nil {
		return err
	}
	h := w.Header()
	h[headerETag] = []string{answer.tag}
	if isFresh(r, http.StatusOK, h) {
		sendEmpty(w, http.StatusNotModified)
		return nil
	}
	h.Set(headerLength, strconv.Itoa(answer.length))
	w.WriteHeader(http.StatusOK)
	switch {
	case r.Method == http.MethodHead:
	case answer.text != nil:
		_, _ = w.Write(answer.text) // the caller is gone
	default:
		l.writeLines(r.Context(), w, lines)
	}
	return nil
}

// writeLines makes and writes a part after the other. When it cannot, the answer is shorter than it says: net/http ends
// the connection.
func (l limiter) writeLines(ctx context.Context, w http.ResponseWriter, lines []function.LogLine) {
	var text []byte
	for n := 0; len(lines) > 0; lines = lines[n:] {
		var err error
		if text, n, err = l.part(ctx, text[:0], lines, linePart, appendLineOfText); err != nil {
			return
		}
		if _, err := w.Write(text); err != nil || ctx.Err() != nil {
			return
		}
	}
}
