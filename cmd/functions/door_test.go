package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// door holds calls for as long as a test wants: its function asks it, and answers "done" once it is open.
type door struct {
	site   *httptest.Server
	opened chan struct{}
	once   sync.Once
}

func newDoor(t testing.TB) *door {
	d := &door{opened: make(chan struct{})}
	d.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-d.opened
		_, _ = io.WriteString(w, "done")
	}))
	t.Cleanup(func() { d.open(); d.site.Close() })
	return d
}

func (d *door) open() { d.once.Do(func() { close(d.opened) }) }

// variable lets functions reach the door.
func (d *door) variable() string { return "EGRESS_ALLOW=" + d.site.Listener.Addr().String() }

// code is that of a function which prints "called" and answers when the door is open.
func (d *door) code() string {
	return fmt.Sprintf(`function main(req, res) {
		console.log('called');
		require('request')(%q, (error, response, body) => res.send(error ? String(error) : body));
	}`, d.site.URL)
}
