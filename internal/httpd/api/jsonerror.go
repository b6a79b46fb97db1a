package api

import (
	"bytes"
	"strconv"

	"github.com/google/uuid"

	"github.com/backstage/functions/sandbox/rawjson"
)

// plainErrorHeaders follow the status line of net/http's own answers, and of no other: a handler's have a Date.
const plainErrorHeaders = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"

// JSONError turns an answer with which net/http refuses a request before any handler sees it, which is plain text, into
// one in JSON: for a broken escape in the path, a missing Host, headers that are too large. Package net/http has no
// other way to change them. It is for what is written before a handler serves the request, such as
//
//	HTTP/1.1 400 Bad Request: missing required Host header
//	Content-Type: text/plain; charset=utf-8
//	Connection: close
//
//	400 Bad Request: missing required Host header
func JSONError(p []byte) (answer []byte, ok bool) {
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
