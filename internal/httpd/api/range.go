package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// part is what a caller asks for of an answer: bytes from first up to end.
type part struct{ first, end int }

// ofBody are headers that say something of the body of the function, and nothing of what is answered instead.
var ofBody = []string{
	headerETag, "Content-Encoding", "Content-Language", "Cache-Control", "Expires", "Last-Modified",
}

// sendBytes answers with bytes, or with the part of them that the caller asks for where the function has said, with
// Accept-Ranges, that parts are to be had. No bytes have neither a tag nor a type but those of the function.
func sendBytes(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	if len(body) == 0 || status == http.StatusResetContent { // which has no content (RFC 9110, section 15.3.6)
		send(w, r, status, nil)
		return
	}
	h := w.Header()
	setTypeOfBytes(h)
	setTag(w, status, body)
	wanted, ok := partOf(r, status, h, len(body))
	switch {
	case !ok || isFresh(r, status, h):
		send(w, r, status, body)
	case wanted.first >= len(body):
		h.Set("Content-Range", "bytes */"+strconv.Itoa(len(body)))
		for _, name := range ofBody {
			delete(h, name)
		}
		sendJSON(w, r, http.StatusRequestedRangeNotSatisfiable, []byte(`{"error":"Range Not Satisfiable"}`))
	default:
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", wanted.first, wanted.end-1, len(body)))
		send(w, r, http.StatusPartialContent, body[wanted.first:wanted.end])
	}
}

// partOf is the part of so many bytes that r asks for; not ok stands for all of them.
func partOf(r *http.Request, status int, h http.Header, length int) (p part, ok bool) {
	asked := r.Header["Range"]
	if len(asked) != 1 || r.Method != http.MethodGet || status != http.StatusOK || length == 0 ||
		!strings.EqualFold(strings.Join(h["Accept-Ranges"], ","), "bytes") || !isSame(r.Header.Get("If-Range"), h) {
		return part{}, false
	}
	return parseRange(asked[0], length)
}

// isSame says whether an If-Range header, if there is one, is about the very bytes that these headers are of: weak
// tags do not say so (RFC 9110, section 13.1.5).
func isSame(condition string, h http.Header) bool {
	switch {
	case condition == "":
		return true
	case strings.HasPrefix(condition, `"`):
		return condition == entityTag(h)
	}
	return condition == h.Get("Last-Modified")
}

// parseRange reads a Range header that asks for bytes in one piece (RFC 9110, section 14.1.2). Any other gets all
// bytes, as the RFC allows. A first that is not below length is of a part that is not there.
func parseRange(text string, length int) (p part, ok bool) {
	unit, set, _ := strings.Cut(text, "=")
	first, last, found := strings.Cut(strings.TrimSpace(set), "-")
	if !strings.EqualFold(strings.TrimSpace(unit), "bytes") || !found {
		return part{}, false
	}
	if first == "" {
		n, ok := position(last)
		if n == 0 { // the last none of them
			return part{length, length}, ok
		}
		return part{max(length-n, 0), length}, ok
	}
	p = part{end: length}
	if p.first, ok = position(first); !ok || last == "" {
		return p, ok
	}
	n, ok := position(last)
	if !ok || n < p.first {
		return part{}, false
	}
	p.end = min(n+1, length)
	return p, true
}

// position reads digits. More than a machine counts is as good as very many.
func position(text string) (n int, ok bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	const many = 1 << 40
	if len(text) > 12 {
		return many, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}
