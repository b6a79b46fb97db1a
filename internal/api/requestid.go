package api

import (
	"net/http"

	"github.com/google/uuid"
)

// maxRequestID is the longest invocation ID that is taken from a caller, in bytes.
const maxRequestID = 128

// identify gives the call its invocation ID: the caller's X-Request-Id if it is harmless, else a new UUID. The answer
// carries it.
func identify(w http.ResponseWriter, r *http.Request) string {
	id := r.Header.Get(headerRequestID)
	if !isRequestID(id) {
		id = uuid.NewString()
	}
	w.Header()[headerRequestID] = []string{id}
	return id
}

func isRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
