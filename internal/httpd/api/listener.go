package api

import (
	"bytes"
	"net"
	"strconv"

	"github.com/google/uuid"

	"github.com/backstage/functions/sandbox/rawjson"
)

// JSONErrors returns a listener like l whose server answers in JSON what it refuses before any handler sees it: a
// broken escape in the path, a missing Host, headers that are too large. Package net/http has no other way to change
// these answers, which are plain text.
func JSONErrors(l net.Listener) net.Listener { return jsonListener{l} }

type jsonListener struct{ net.Listener }

func (l jsonListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return jsonConn{c}, nil
}

type jsonConn struct{ net.Conn }

// Write replaces the one write with which net/http answers and hangs up.
func (c jsonConn) Write(p []byte) (int, error) {
	answer, ok := plainError(p)
	if !ok {
		return c.Conn.Write(p)
	}
	if _, err := c.Conn.Write(answer); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite lets net/http end an answer gently, as it does on the connection itself.
func (c jsonConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// plainErrorHeaders follow the status line of net/http's own answers, and of no other: a handler's have a Date.
const plainErrorHeaders = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// plainError rewrites an answer of net/http's own, such as
//
//	HTTP/1.1 400 Bad Request: missing required Host header
//	Content-Type: text/plain; charset=utf-8
//	Connection: close
//
//	400 Bad Request: missing required Host header
func plainError(p []byte) (answer []byte, ok bool) {
	line := bytes.IndexByte(p, '\r')
	if line < 0 || !bytes.HasPrefix(p[line:], []byte(plainErrorHeaders)) {
		return nil, false
	}
	message := p[line+len(plainErrorHeaders):]
	if len(message) > 4 && message[3] == ' ' { // the status code
		message = message[4:]
	}
	if _, detail, found := bytes.Cut(message, []byte(": ")); found {
		message = detail
	}
	o := rawjson.NewObject(nil)
	o.String("error", string(message))
	body := o.End()
	answer = append(answer, p[:line]...)
	answer = append(answer, "\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: "...)
	answer = strconv.AppendInt(answer, int64(len(body)), 10)
	answer = append(answer, "\r\n"+headerRequestID+": "+uuid.NewString()...)
	answer = append(answer, "\r\nConnection: close\r\n\r\n"...)
	return append(answer, body...), true
}
