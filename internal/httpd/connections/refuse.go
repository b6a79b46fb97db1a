package connections

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	contentType = "application/json; charset=utf-8"
	tooMany     = `{"error":"Too many connections","reason":"connections"}`
	noMemory    = `{"error":"No memory for more requests","reason":"body_memory"}`
)

// refuse answers a request that has no place, or no memory, with the reason.
func refuse(w http.ResponseWriter, reason string) {
	h := w.Header()
	h.Set("Retry-After", "1")
	h.Set("Content-Type", contentType)
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, reason) // an error says that the caller is gone
}

// refuseHeader answers a request whose headers cannot be read to their end, before net/http knows of it.
func refuseHeader(conn net.Conn) {
	const answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: " + contentType +
		"\r\nContent-Length: %d\r\nRetry-After: 1\r\nX-Request-Id: %s\r\nConnection: close\r\n\r\n" + noMemory
	_ = conn.SetWriteDeadline(time.Now().Add(time.Second))       // as below
	_, _ = fmt.Fprintf(conn, answer, len(noMemory), rand.Text()) // an error says that the caller is gone
}
