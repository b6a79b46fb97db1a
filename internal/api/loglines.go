package api

import (
	"crypto/md5" //nolint:gosec // see weakTag
	"net/http"
	"strconv"

	"github.com/backstage/functions/internal/function"
)

// sendLines answers as send does with all lines together, of which it holds one at a time: with its control characters
// escaped a line takes up to six times its length.
func sendLines(w http.ResponseWriter, r *http.Request, lines []function.LogLine) {
	var text []byte
	length, sum := 0, md5.New() //nolint:gosec // see weakTag
	for i := range lines {
		text = append(appendLogLine(text[:0], &lines[i]), '\n')
		length += len(text)
		_, _ = sum.Write(text) // never fails
	}
	h := w.Header()
	h[headerETag] = []string{weakTagOf(length, sum.Sum(nil))}
	if isFresh(r, http.StatusOK, h) {
		sendEmpty(w, http.StatusNotModified)
		return
	}
	h.Set(headerLength, strconv.Itoa(length))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	for i := range lines {
		text = append(appendLogLine(text[:0], &lines[i]), '\n')
		if _, err := w.Write(text); err != nil || r.Context().Err() != nil {
			return // the answer is shorter than it says: net/http ends the connection
		}
	}
}
