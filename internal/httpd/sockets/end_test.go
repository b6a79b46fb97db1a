package sockets_test

import (
	"testing"

	"github.com/backstage/functions/internal/httpd/sockets"
)

// What a socket has carried is told at its end, however it ends.
func TestTheEndOfASocketTellsWhatItHasCarried(t *testing.T) {
	for name, row := range map[string]struct {
		end  func(c *caller)
		code int
	}{
		"closed": {func(c *caller) { c.write(frame(fin|hangup, []byte("\x03\xe8"))) }, 1000},
		"lost":   {func(c *caller) { _ = c.Close() }, 1006},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			c := r.dial(t)
			for _, words := range []string{"abc", "", "defg"} {
				c.write(frame(fin|text, []byte(words)))
			}
			c.wants(fin|text, "abc") // an empty answer is none
			c.wants(fin|text, "defg")
			row.end(c)
			r.closes(t, 1)
			r.mu.Lock()
			defer r.mu.Unlock()
			want := sockets.End{Code: row.code, Received: 3, ReceivedBytes: 7, Sent: 2, SentBytes: 7}
			if len(r.told) != 1 {
				t.Fatalf("told of %d ends", len(r.told))
			}
			if got := r.told[0]; got.Took <= 0 {
				t.Errorf("open for %v", got.Took)
			} else if got.Took = 0; got != want {
				t.Errorf("told %+v, want %+v", got, want)
			}
		})
	}
}
