package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/backstage/functions/internal/identity"
)

// maxRequestID is the longest request ID that is taken from a caller, in bytes.
const maxRequestID = 128

// requestIDKey is the context key of request IDs.
type requestIDKey struct{}

// RequestID is the ID of the request that ctx belongs to; empty for none. It is the invocation ID of the calls that the
// request makes.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// Identify gives each request its ID: the caller's X-Request-Id if it is harmless, else a new UUID. Every answer
// carries it, and so does the context that next serves the request in.
func Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if RequestID(r.Context()) != "" { // by an Identify around this one
			next.ServeHTTP(w, r)
			return
		}
		id := r.Header.Get(headerRequestID)
		if !isRequestID(id) || identity.IsToken(id) { // a key is not to be in logs

			id = uuid.NewString()
		}
		w.Header()[headerRequestID] = []string{id}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
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
