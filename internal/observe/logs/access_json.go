package logs

import (
	"strconv"
	"time"

	"github.com/backstage/functions/internal/function"
)

// appendAccess appends the request as a JSON object, whose first members are those of the server's own messages.
func appendAccess(dst []byte, r *Request) []byte {
	method, url := cut(r.Method), cut(urlOf(r))
	o := beginObject(dst, "info", method+" "+url+" "+strconv.Itoa(r.Status))
	o.text("method", method)
	o.text("url", url)
	o.number("status", int64(r.Status))
	if r.Length >= 0 {
		o.number("length", r.Length)
	}
	o.raw("milliseconds", strconv.FormatFloat(float64(r.Took)/float64(time.Millisecond), 'f', 3, 64))
	o.text("remoteAddr", cut(remoteAddr(r)))
	o.text("userAgent", cut(userAgent(r)))
	o.text("requestId", r.ID)
	o.text("traceId", r.TraceID)
	o.text(originalRequestID, r.ID)
	return o.end()
}

// object is a JSON object that is being appended to a text.
type object []byte

// beginObject appends the members that every line has.
func beginObject(dst []byte, level, message string) object {
	dst = append(dst, `{"time":"`...)
	dst = append(time.Now().AppendFormat(dst, time.RFC3339Nano), '"')
	o := object(dst)
	o.text("level", level)
	o.text("message", message)
	return o
}

// text adds a member unless it is empty.
func (o *object) text(name, value string) {
	if value != "" {
		*o = function.AppendPlainJSONString(o.name(name), value)
	}
}

func (o *object) number(name string, value int64) { *o = strconv.AppendInt(o.name(name), value, 10) }

func (o *object) raw(name, json string) { *o = append(o.name(name), json...) }

func (o *object) name(name string) []byte {
	return append(append(append(*o, `,"`...), name...), `":`...)
}

func (o object) end() []byte { return append(o, '}') }
