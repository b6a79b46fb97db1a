package logs

import (
	"fmt"

	"github.com/backstage/functions/sandbox/rawjson"
)

// appendSocket appends what a WebSocket connection has carried to the line about its end; nothing to others.
func appendSocket(dst []byte, r *Request) []byte {
	s := r.Socket
	if s == nil {
		return dst
	}
	return fmt.Appendf(dst, " received %d messages, %d bytes; sent %d messages, %d bytes",
		s.Received, s.ReceivedBytes, s.Sent, s.SentBytes)
}

// addSocket adds the same to a line in JSON.
func addSocket(o *rawjson.Object, s *Socket, code int) {
	o.Int("closeCode", int64(code))
	addText(o, "connection", s.ID)
	o.Int("received", s.Received)
	o.Int("receivedBytes", s.ReceivedBytes)
	o.Int("sent", s.Sent)
	o.Int("sentBytes", s.SentBytes)
}
