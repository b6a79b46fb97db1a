package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/sandbox"
)

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkCall measures what the API does for a call: without keys, and with one.
func BenchmarkCall(b *testing.B) {
	var keys []identity.Key
	var token string
	for range 1000 {
		var key identity.Key
		key, token = identity.New(identity.Key{Role: identity.Invoke, Namespaces: []identity.Pattern{"other", "a*"}})
		keys = append(keys, key)
	}
	ring := identity.NewKeyring()
	ring.Set(keys)
	for name, auth := range map[string]Auth{"AUTH=off": AuthOff, "AUTH=on": AuthOn} {
		b.Run(name, func(b *testing.B) {
			handler := New(Options{
				Auth: auth, Keyring: keyring{ring, true}, Store: newFakeStore(),
				Invoker: answering(&sandbox.Result{Status: 200, Body: []byte("1")}, nil),
			}).API
			r := httptest.NewRequest("PUT", "/functions/a/f/run", nil)
			credentials := []string{"Bearer " + token}
			b.ReportAllocs()
			for b.Loop() {
				r.Header["Authorization"] = credentials
				handler.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
}
