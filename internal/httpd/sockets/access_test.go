package sockets_test

import (
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestSocketsOfAnybodyEndWithTheAccessOfAnybody(t *testing.T) {
	for name, row := range map[string]struct {
		needs, access string
		want          int // 0 for a socket that stays
	}{
		"still public":            {function.AccessPublic, function.AccessPublic, 0},
		"private":                 {function.AccessPublic, "", 1008},
		"for tokens":              {function.AccessPublic, function.AccessJWT, 1008},
		"private to a key":        {"", "", 0},
		"still public to a token": {function.AccessJWT, function.AccessPublic, 0},
		"for tokens to a token":   {function.AccessJWT, function.AccessJWT, 0},
		"private to a token":      {function.AccessJWT, function.AccessKey, 1008},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			r.mu.Lock()
			r.needs, r.access = row.needs, function.AccessPublic
			r.mu.Unlock()
			c := r.dial(t)
			c.write(frame(fin|text, []byte("a")))
			c.wants(fin|text, "a")
			r.mu.Lock()
			r.access = row.access
			r.mu.Unlock()
			r.hub.Changed(function.Change{Ref: ref})
			if row.want == 0 {
				r.checkIsDone(t)
				c.write(frame(fin|text, []byte("still here")))
				c.wants(fin|text, "still here")
				return
			}
			if got := c.end(); got != row.want {
				t.Errorf("ended with %d, want %d", got, row.want)
			}
			if e := r.closes(t, 1); e.Code != row.want || e.Reason != "the function is not public any more" {
				t.Errorf("the function learns %+v", e)
			}
			if got := r.hub.Stats().ByServer; got != 1 {
				t.Errorf("%d were ended by the server", got)
			}
		})
	}
}

// checkIsDone waits until the Hub has looked at what was changed: it looks once at a time.
func (r *rig) checkIsDone(t *testing.T) {
	t.Helper()
	finds := func() int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.finds
	}
	before := finds()
	eventually(t, "the look after the next one", func() bool {
		r.hub.Changed(function.Change{Ref: ref})
		return finds() >= before+2
	})
}

func TestAFunctionMadePrivateWhileASocketOpensEndsIt(t *testing.T) {
	r := newRig(t, nil)
	r.needs, r.access = function.AccessPublic, function.AccessPublic
	r.opens = func() {
		r.mu.Lock()
		r.access = ""
		r.mu.Unlock()
		r.hub.Changed(function.Change{Ref: ref}) // it does not know the socket yet
	}
	if got := r.dial(t).end(); got != 1008 {
		t.Errorf("ended with %d", got)
	}
}
