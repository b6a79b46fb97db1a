package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/identity"
)

// maxRequestID is the longest request ID that is taken from a caller, in bytes.
const maxRequestID = 128

// requestKey is the key of the requestContext in the context of a request.
type requestKey struct{}

// requestContext is the context of a request, with what is known of it here. One for all of that costs less than a
// value of its own, and a copy of the request, for each.
type requestContext struct {
	context.Context

	id     string
	header [1]string      // of the answer, with the id
	match  mux.RouteMatch // once a route was looked for
	port   ports          // that serves its resource
	access *access        // of its caller, once that is known; nil with AuthOff
	// ref is the function that its path names, once that was read. Plain says that plainRun did: there is no match then.
	ref   [1]function.Ref
	plain bool
}

// Value implements context.Context.
func (c *requestContext) Value(key any) any {
	if key == (requestKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// contextOf is that of the request that ctx belongs to; nil for none.
func contextOf(ctx context.Context) *requestContext {
	c, _ := ctx.Value(requestKey{}).(*requestContext)
	return c
}

// RequestID is the ID of the request that ctx belongs to; empty for none. It is the invocation ID of the calls that the
// request makes.
func RequestID(ctx context.Context) string {
	if c := contextOf(ctx); c != nil {
		return c.id
	}
	return ""
}

// varsOf are what the path of r has in the places of the variables of its route.
func varsOf(r *http.Request) map[string]string {
	c := contextOf(r.Context())
	switch {
	case c == nil:
		return nil
	case c.plain:
		return map[string]string{"namespace": c.ref[0].Namespace, "id": c.ref[0].ID}
	}
	return c.match.Vars
}

func varOf(r *http.Request, variable string) string { return varsOf(r)[variable] }

// Identify gives each request its ID: the caller's X-Request-Id if it is harmless, else a new UUID. Every answer
// carries it, and so does the context that next serves the request in.
func Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if contextOf(r.Context()) != nil { // by an Identify around this one
			next.ServeHTTP(w, r)
			return
		}
		c := &requestContext{Context: r.Context(), id: r.Header.Get(headerRequestID)}
		if !isRequestID(c.id) || identity.IsToken(c.id) { // a key is not to be in logs
			c.id = uuid.NewString()
		}
		c.header[0] = c.id
		w.Header()[headerRequestID] = c.header[:]
		next.ServeHTTP(w, r.WithContext(c))
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
