package logs

import (
	"strconv"
	"time"

	"github.com/backstage/functions/sandbox/rawjson"
)

// appendAccess appends the request as a JSON object, whose first members are those of the server's own messages.
func appendAccess(dst []byte, r *Request) []byte {
	method, url := shown(r.Method), shown(urlOf(r))
	o := beginObject(dst, "info", method+" "+url+" "+strconv.Itoa(r.Status))
	addText(&o, "method", method)
	addText(&o, "url", url)
	if r.Socket != nil {
		addSocket(&o, r.Socket, r.Status)
	} else {
		o.Int("status", int64(r.Status))
	}
	if r.Length >= 0 && r.Socket == nil {
		o.Int("length", r.Length)
	}
	if r.Length < 0 && r.Sent > 0 {
		o.Int("sent", r.Sent)
	}
	if r.Aborted {
		o.Raw("aborted", []byte("true"))
	}
	var number [24]byte
	o.Raw("milliseconds", strconv.AppendFloat(number[:0], float64(r.Took)/float64(time.Millisecond), 'f', 3, 64))
	addText(&o, "remoteAddr", shown(remoteAddr(r)))
	addText(&o, "userAgent", shown(userAgent(r)))
	addText(&o, "keyId", r.KeyID)
	addText(&o, "requestId", r.ID)
	addText(&o, "traceId", r.TraceID)
	addText(&o, originalRequestID, r.ID)
	return o.End()
}

// beginObject appends the members that every line has.
func beginObject(dst []byte, level, message string) rawjson.Object {
	o := rawjson.NewObject(dst)
	var quoted [len(time.RFC3339Nano) + 2]byte
	o.Raw("time", append(time.Now().AppendFormat(append(quoted[:0], '"'), time.RFC3339Nano), '"'))
	o.Visible("level", level)
	o.Visible("message", message)
	return o
}

// addText adds a member unless it is empty.
func addText(o *rawjson.Object, name, value string) {
	if value != "" {
		o.Visible(name, value)
	}
}
