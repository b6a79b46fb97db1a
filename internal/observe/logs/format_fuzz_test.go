package logs

import (
	"bytes"
	"strings"
	"testing"
)

func FuzzAccessLogWritesOneLine(f *testing.F) {
	for name := range formats {
		f.Add(name, "/", "agent")
	}
	f.Add(":method :url :req[user-agent] :date[iso] :response-time[1]", "/\n", "a\r\x00\xff\u2028")
	f.Fuzz(func(t *testing.T, format, url, agent string) {
		if strings.Contains(format, "\n") {
			return // the operator's own line break
		}
		var out bytes.Buffer
		access, err := NewAccess(AccessOptions{Out: &out, Format: format})
		if err != nil {
			return
		}
		r := request()
		r.RequestURI = url
		r.Header["User-Agent"] = []string{agent}
		access.Log(r)
		if text := out.String(); strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
			t.Fatalf("wrote %q", text)
		}
	})
}
