package logs

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
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
	o := rawjson.NewObject(dst)
	o.String("version", "1.0")
	o.String("host", m.host)
	o.Raw("timestamp", appendMillis(nil, m.time.UnixMilli()))
	o.String("short_message", m.short())
	o.String("full_message", m.full)
	o.Int("level", m.level())
	o.String("facility", "node.js")
	fields := m.additional()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		o.Raw(name, fields[name])
	}
	return o.End()
}

func (m *gelfMessage) short() string {
	return `Function "` + m.ref.Filename() + `" was executed with status ` + strconv.Itoa(
		m.status,
	) + ` "` + http.StatusText(
		m.status,
	) + `"`
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

// additional returns the values of the additional fields as JSON, by the names that are sent: the fixed ones, over them
// those of the run, and over these those that carry headers. The names begin with an underscore, which is put before
// those that do not.
func (m *gelfMessage) additional() map[string][]byte {
	fields := map[string][]byte{}
	for _, some := range []map[string][]byte{m.fields, m.ofRun(), m.ofHeader()} {
		for name, value := range some {
			fields["_"+strings.TrimPrefix(name, "_")] = value
		}
	}
	return fields
}

// ofRun returns the fields that tell of this run.
func (m *gelfMessage) ofRun() map[string][]byte {
	fields := map[string][]byte{
		"status":       strconv.AppendInt(nil, int64(m.status), 10),
		"request_time": appendMillis(nil, m.took.Milliseconds()),
		"group":        rawjson.AppendString(nil, m.ref.Namespace),
		"file":         rawjson.AppendString(nil, m.ref.Filename()),
	}
	if m.call != "" {
		fields["request_id"] = rawjson.AppendString(nil, m.call)
	}
	return fields
}

// ofHeader returns the fields that carry headers.
func (m *gelfMessage) ofHeader() map[string][]byte {
	fields := map[string][]byte{}
	for name, value := range m.header {
		fields[name] = rawjson.AppendString(nil, value)
	}
	return fields
}

// appendMillis appends milliseconds as seconds.
func appendMillis(dst []byte, ms int64) []byte {
	return strconv.AppendFloat(dst, float64(ms)/1000, 'f', -1, 64)
}
