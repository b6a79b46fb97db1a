package connections

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// BenchmarkRequest measures requests on one connection with a Port and without one.
func BenchmarkRequest(b *testing.B) {
	for name, request := range map[string]string{"get": get("/"), "post": post(17, 17), "post of 1 MB": post(1<<20, 1<<20)} {
		for _, bounded := range []bool{false, true} {
			kind := ", bare"
			if bounded {
				kind = ", bounded"
			}
			b.Run(name+kind, func(b *testing.B) { benchmarkRequest(b, request, bounded) })
		}
	}
}

func benchmarkRequest(b *testing.B, request string, bounded bool) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, ReadTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a failure shows below
		_, _ = io.WriteString(w, "done")   // as above
	})}
	defer server.Close()
	if bounded {
		port := New(l, Options{Most: 10_000, Read: time.Minute, Body: time.Minute, Write: time.Minute, Bodies: NewBodies(1 << 30), Answers: NewAnswers(1 << 30)})
		go port.Serve(server)
	} else {
		go server.Serve(l)
	}
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	c := &caller{conn, bufio.NewReader(conn), nil}
	text := strings.NewReader(request)
	b.ReportAllocs()
	for b.Loop() {
		text.Reset(request)
		if _, err := io.Copy(conn, text); err != nil {
			b.Fatal(err)
		}
		if status := c.status(); status != http.StatusOK {
			b.Fatalf("answered %d", status)
		}
	}
}
