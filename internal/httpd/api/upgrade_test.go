package api

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/sockets"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// handshake are the headers of a request that opens a WebSocket connection.
var handshake = []string{
	"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13",
	"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==",
}

func TestUpgradesAreCallsUnlessTheFunctionAsksForMore(t *testing.T) {
	for name, row := range map[string]struct {
		option *function.WebSocket
		want   int
	}{
		"no option":    {nil, http.StatusOK},
		"switched off": {&function.WebSocket{}, http.StatusOK},
		"none here":    {&function.WebSocket{On: true}, http.StatusNotImplemented},
	} {
		invoker := answering(&sandbox.Result{Status: 200}, nil)
		invoker.find = func(ref function.Ref) (invoke.Found, error) {
			return invoke.Found{Function: &function.Function{Ref: ref, Options: function.Options{WebSocket: row.option}}}, nil
		}
		url := serve(t, Options{Invoker: invoker})
		res, body := do(t, newRequest(t, "GET", url+"/functions/ns/f/run", "", handshake...))
		if res.StatusCode != row.want {
			t.Errorf("%s: answered %d %s", name, res.StatusCode, body)
		}
	}
	url := serve(t, Options{})
	for _, path := range []string{"/connections/x", "/connections"} {
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"},
		} {
			res, body := do(t, newRequest(t, "POST", url+"/namespaces/ns"+path, "hi", header...))
			if res.StatusCode != http.StatusForbidden {
				t.Errorf("%s %v: answered %d %s", path, header, res.StatusCode, body)
			}
		}
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		res, body := do(t, newRequest(t, method, url+"/namespaces/ns/connections/x", "hi"))
		if res.StatusCode != http.StatusNotImplemented {
			t.Errorf("%s: answered %d %s", method, res.StatusCode, body)
		}
	}
}

// freeLease is that of a connection that has all the memory it asks for.
type freeLease struct{}

func (freeLease) Grow(int) bool { return true }
func (freeLease) Shrink(int)    {}
func (freeLease) Linger()       {}
func (freeLease) Cut()          {}

// TestSocketsEndWithTheAccessThatOpenedThem makes a public function private: those stay who may have the socket all the
// same.
func TestSocketsEndWithTheAccessThatOpenedThem(t *testing.T) {
	ref := function.Ref{Namespace: "a", ID: "f"}
	for name, row := range map[string]struct {
		auth  Auth
		key   []identity.Pattern // namespaces of the key; none for no key
		stays bool
	}{
		"no key":                   {AuthOn, nil, false},
		"a key for somewhere else": {AuthOn, []identity.Pattern{"b"}, false},
		"a key":                    {AuthOn, []identity.Pattern{"a"}, true},
		"no key, AUTH=log":         {AuthLog, nil, true},
		"no key, AUTH=off":         {AuthOff, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // for a broken server
			defer cancel()
			var private atomic.Bool
			var finds atomic.Int64
			invoker := answering(&sandbox.Result{Status: 200}, nil)
			invoker.find = func(ref function.Ref) (invoke.Found, error) {
				finds.Add(1)
				access := function.AccessPublic
				if private.Load() {
					access = function.AccessKey
				}
				options := function.Options{WebSocket: &function.WebSocket{On: true}, Access: &access}
				return invoke.Found{Function: &function.Function{Ref: ref, Options: options}}, nil
			}
			hub := sockets.New(sockets.Options{
				Most: 10, Message: 1000, Memory: 1 << 20, Idle: time.Hour, Ping: time.Hour, Slow: time.Hour, Invoker: invoker,
				Lease: func(*http.Request) sockets.Lease { return freeLease{} },
			})
			g := guard(t, Options{Auth: row.auth, Invoker: invoker, Public: listed{ref: true}, Sockets: hub})
			header := http.Header{}
			if row.key != nil {
				header.Set("Authorization", "Bearer "+g.key(identity.Invoke, row.key...))
			}
			conn, _, err := websocket.Dial(ctx, g.url+"/functions/a/f/run", &websocket.DialOptions{HTTPHeader: header})
			if err != nil {
				t.Fatal(err)
			}
			private.Store(true)
			for before := finds.Load(); finds.Load() < before+2 && ctx.Err() == nil; { // one look after the other
				hub.Changed(function.Change{Ref: ref})
				time.Sleep(time.Millisecond)
			}
			want := websocket.StatusPolicyViolation
			if row.stays {
				want = websocket.StatusGoingAway // the server stops
			}
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				hub.Close(ctx)
			}()
			if _, _, err := conn.Read(ctx); websocket.CloseStatus(err) != want {
				t.Errorf("ended with %v, want code %d", err, want)
			}
			<-closed
		})
	}
}
