package logs

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/function"
)

// The syslog levels of messages.
const (
	gelfError   = 3
	gelfWarning = 4
	gelfInfo    = 6
)

// gelfMessage is what is known of one run.
type gelfMessage struct {
	host   string
	call   string // the invocation ID
	ref    function.Ref
	status int
	took   time.Duration
	time   time.Time
	full   string
	fields map[string][]byte // as JSON
	header map[string]string
}

// appendJSON appends the message as the JSON object that GELF asks for.
func (m *gelfMessage) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"version":"1.0","host":`...)
	dst = function.AppendJSONString(dst, m.host)
	dst = append(dst, `,"timestamp":`...)
	dst = appendMillis(dst, m.time.UnixMilli())
	dst = append(dst, `,"short_message":`...)
	dst = function.AppendJSONString(dst, m.short())
	dst = append(dst, `,"full_message":`...)
	dst = function.AppendJSONString(dst, m.full)
	dst = append(dst, `,"level":`...)
	dst = strconv.AppendInt(dst, m.level(), 10)
	dst = append(dst, `,"facility":"node.js"`...)
	fields := m.additional()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		dst = append(dst, ',')
		dst = function.AppendJSONString(dst, "_"+name)
		dst = append(dst, ':')
		dst = append(dst, fields[name]...)
	}
	return append(dst, '}')
}

func (m *gelfMessage) short() string {
	return `Function "` + m.ref.Filename() + `" was executed with status ` + strconv.Itoa(m.status) + ` "` + http.StatusText(m.status) + `"`
}

func (m *gelfMessage) level() int64 {
	switch {
	case m.status >= 500:
		return gelfError
	case m.status >= 400:
		return gelfWarning
	}
	return gelfInfo
}

// additional returns the values of the additional fields as JSON: the fixed ones, and over them those of the run.
func (m *gelfMessage) additional() map[string][]byte {
	fields := map[string][]byte{}
	maps.Copy(fields, m.fields)
	maps.Copy(fields, m.ofRun())
	return fields
}

// ofRun returns the fields that tell of this run, over them those that carry headers.
func (m *gelfMessage) ofRun() map[string][]byte {
	text := func(s string) []byte { return function.AppendJSONString(nil, s) }
	fields := map[string][]byte{
		"status":       strconv.AppendInt(nil, int64(m.status), 10),
		"request_time": appendMillis(nil, m.took.Milliseconds()),
		"group":        text(m.ref.Namespace),
		"file":         text(m.ref.Filename()),
	}
	if m.call != "" {
		fields["request_id"] = text(m.call)
	}
	for name, value := range m.header {
		fields[name] = text(value)
	}
	return fields
}

// appendMillis appends milliseconds as seconds.
func appendMillis(dst []byte, ms int64) []byte {
	return strconv.AppendFloat(dst, float64(ms)/1000, 'f', -1, 64)
}
