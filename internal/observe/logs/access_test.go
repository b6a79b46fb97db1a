package logs

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstage/functions/internal/identity"
)

// request is a request as the access log sees it.
func request() *Request {
	r := httptest.NewRequest("PUT", "/functions/a/b/run?x=1", nil)
	r.RemoteAddr = "192.0.2.7:4711"
	r.Header.Set("User-Agent", `curl "8"`)
	r.Header.Set("Referer", "http://from/")
	r.Header["X-Many"] = []string{"1", "2"}
	r.SetBasicAuth("ann", "secret")
	return &Request{
		Request: r, Status: 200, Length: 17, Took: 1234567 * time.Nanosecond,
		Answer: http.Header{"X-Answer": {"a", "b"}, "Content-Length": {"17"}},
	}
}

func accessLine(t *testing.T, format string, r *Request) string {
	t.Helper()
	var out bytes.Buffer
	access, err := NewAccess(AccessOptions{Out: &out, Format: format})
	if err != nil {
		t.Fatal(err)
	}
	access.Log(r)
	return out.String()
}

func TestAccessFormatsAreMorgans(t *testing.T) {
	for _, row := range []struct{ format, want string }{
		{"tiny", "PUT /functions/a/b/run?x=1 200 17 - 1.235 ms"},
		{"short", "192.0.2.7 ann PUT /functions/a/b/run?x=1 HTTP/1.1 200 17 - 1.235 ms"},
		{"common", `192.0.2.7 - ann [01/Jan/2000:00:00:00 +0000] "PUT /functions/a/b/run?x=1 HTTP/1.1" 200 17`},
		{"combined", `192.0.2.7 - ann [01/Jan/2000:00:00:00 +0000] "PUT /functions/a/b/run?x=1 HTTP/1.1" 200 17 "http://from/" "curl \"8\""`},
		{"default", `192.0.2.7 - ann [Sat, 01 Jan 2000 00:00:00 GMT] "PUT /functions/a/b/run?x=1 HTTP/1.1" 200 17 "http://from/" "curl \"8\""`},
		{"dev", "\x1b[0mPUT /functions/a/b/run?x=1 \x1b[32m200 \x1b[0m1.235 ms - 17\x1b[0m"},
		{"", ""},
		{"no tokens: a:b :", "no tokens: a:b :"},
		{":status:method", "200PUT"},
		{":req[x-many] :req[X-None] :req[Host] :res[x-answer] :res[none]", "1, 2 - example.com a, b -"},
		{":res[Content-Length]", "17"},
		{":response-time[0] :response-time[6] :response-sectime :response-sectime[1]", "1 1.234567 0.001 0.0"},
		{":date[iso]|:date[web]|:date", "2000-01-01T00:00:00.000Z|Sat, 01 Jan 2000 00:00:00 GMT|Sat, 01 Jan 2000 00:00:00 GMT"},
	} {
		t.Run(row.format, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := accessLine(t, row.format, request()); got != row.want+"\n" {
					t.Errorf("wrote %q, want %q", got, row.want)
				}
			})
		})
	}
}

// What a caller sends does not fill the log: each part ends with a mark at 2 KiB, in both formats.
func TestLongPartsOfAnAccessLineAreCut(t *testing.T) {
	r := request()
	long := strings.Repeat("x", 2047) + "é" + strings.Repeat("y", 70_000)
	want := strings.Repeat("x", 2047) + "…[70002 bytes cut]"
	r.RequestURI, r.Method = long, long
	for _, name := range []string{"User-Agent", "Referer", "X-Long"} {
		r.Header.Set(name, long)
	}
	header := strings.Repeat("x", 2047) + "…[70004 bytes cut]" // each byte of é is a character
	for token, want := range map[string]string{":url": want, ":method": want, ":user-agent": header, ":referrer": header, ":req[x-long]": header} {
		if got := accessLine(t, token, r); got != want+"\n" {
			t.Errorf("%s: %d bytes: %.3000s", token, len(got), got)
		}
	}
	var out bytes.Buffer
	access, err := NewAccess(AccessOptions{Out: &out, JSON: true})
	if err != nil {
		t.Fatal(err)
	}
	access.Log(r)
	if n := strings.Count(out.String(), want) + strings.Count(out.String(), header); n != 5 || out.Len() > 12_000 { // the message has two of them
		t.Errorf("%d bytes with %d marks: %.3000s", out.Len(), n, out.String())
	}
	r.RequestURI = strings.Repeat("x", 2048)
	if got := accessLine(t, ":url", r); got != r.RequestURI+"\n" {
		t.Errorf("2 KiB became %d bytes", len(got))
	}
}

// Whatever a caller puts a key into, the log does not tell it: other people read the log.
func TestKeysAreMaskedInAccessLines(t *testing.T) {
	_, key := identity.New(identity.Key{})
	encoded := strings.Replace(key, "_", "%5F", 1)
	r := request()
	r.RequestURI = "/functions/a/b/run?key=" + key
	r.Header.Set("Referer", "http://from/?key="+encoded)
	r.Header.Set("User-Agent", "curl with "+key)
	r.Header.Set("X-Key", key)
	r.Answer.Set("Location", "/?key="+key)
	r.SetBasicAuth(key, "")
	line := accessLine(t, ":url :referrer :user-agent :remote-user :req[x-key] :res[location]", r)
	var out bytes.Buffer
	access, err := NewAccess(AccessOptions{Out: &out, JSON: true})
	if err != nil {
		t.Fatal(err)
	}
	access.Log(r)
	line += out.String()
	if strings.Contains(line, key) || strings.Contains(line, encoded) || strings.Count(line, identity.Masked) != 9 {
		t.Errorf("wrote %s", line)
	}
}

func TestAccessLineSaysWhatIsNotKnown(t *testing.T) {
	r := &Request{Request: httptest.NewRequest("GET", "/", nil), Length: -1}
	r.RemoteAddr = "@"
	want := "@ - - - - -\n"
	if got := accessLine(t, ":remote-addr :remote-user :status :res[content-length] :referrer :user-agent", r); got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

func TestDevColoursTheStatus(t *testing.T) {
	for status, color := range map[int]string{0: "0", 100: "0", 201: "32", 304: "36", 404: "33", 503: "31"} {
		r := request()
		r.Status = status
		if got := accessLine(t, "dev", r); !strings.Contains(got, "\x1b["+color+"m") {
			t.Errorf("status %d: %q", status, got)
		}
	}
}

func TestRequestCannotForgeAnAccessLine(t *testing.T) {
	r := request()
	r.RequestURI = "/\"\\\r\nGET /forged\x1b[0m\xff"
	r.Header.Set("User-Agent", "a\"\n\u2028")
	want := `"/\"\\\r\nGET /forged\u001b[0mÿ" "a\"\nâ\u0080¨"` + "\n"
	if got := accessLine(t, `":url" ":user-agent"`, r); got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

// A header says in the log what it says to a function.
func TestHeadersInAccessLinesAreLatin1(t *testing.T) {
	r := request()
	r.RequestURI = "/\xe9"
	for _, name := range []string{"User-Agent", "Referer", "X-In"} {
		r.Header.Set(name, "Jos\xe9 Jos\xc3\xa9")
	}
	r.Answer = http.Header{"X-Out": {"\xe9\xff"}}
	const want = "/é José JosÃ©|José JosÃ©|José JosÃ©|éÿ\n"
	if got := accessLine(t, ":url :user-agent|:referrer|:req[x-in]|:res[x-out]", r); got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

func TestAccessLineInJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		access, err := NewAccess(AccessOptions{Out: &out, Format: "tiny", JSON: true})
		if err != nil {
			t.Fatal(err)
		}
		r := request()
		r.ID, r.TraceID = "call-7", "0af7"
		access.Log(r)
		access.Log(&Request{Request: httptest.NewRequest("GET", "/\u202e", nil), Length: -1})
		want := `{"time":"2000-01-01T00:00:00Z","level":"info","message":"PUT /functions/a/b/run?x=1 200","method":"PUT",` +
			`"url":"/functions/a/b/run?x=1","status":200,"length":17,"milliseconds":1.235,"remoteAddr":"192.0.2.7","userAgent":"curl \"8\"",` +
			`"requestId":"call-7","traceId":"0af7","request_id":"call-7"}` + "\n" +
			`{"time":"2000-01-01T00:00:00Z","level":"info","message":"GET /\u202e 0","method":"GET","url":"/\u202e","status":0,` +
			`"milliseconds":0.000,"remoteAddr":"192.0.2.1"}` + "\n"
		if got := strings.ReplaceAll(out.String(), time.Now().Format(time.RFC3339Nano), "2000-01-01T00:00:00Z"); got != want {
			t.Errorf("wrote %s, want %s", got, want)
		}
	})
}

func TestUnknownTokenIsNamed(t *testing.T) {
	for format, want := range map[string]string{
		":method :nothing":   "access log format: :nothing: unknown token",
		":date[roman]":       `access log format: :date[roman]: date format "roman" is not web, clf or iso`,
		":response-time[x]":  `access log format: :response-time[x]: "x" is not a number of decimals`,
		":response-time[99]": `access log format: :response-time[99]: "99" is not a number of decimals`,
		":req":               "access log format: :req: needs the name of a header in brackets",
		":res":               "access log format: :res: needs the name of a header in brackets",
	} {
		if _, err := NewAccess(AccessOptions{Out: &bytes.Buffer{}, Format: format}); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", format, err, want)
		}
	}
}

func BenchmarkAccessTiny(b *testing.B) {
	sink := NewSink(io.Discard)
	defer sink.Close(context.Background())
	access, err := NewAccess(AccessOptions{Out: sink.Stream(StreamOptions{}), Format: "tiny"})
	if err != nil {
		b.Fatal(err)
	}
	r := request()
	b.ReportAllocs()
	for b.Loop() {
		access.Log(r)
	}
}

func TestTokensOfAFormatAreCounted(t *testing.T) {
	for format, want := range map[string]int{"tiny": 5, ":method and :url": 2, "no token: at all": 0, "": 0} {
		if got, err := CheckFormat(format); err != nil || got != want {
			t.Errorf("%q has %d, %v, want %d", format, got, err, want)
		}
	}
	if _, err := CheckFormat(":nothing"); err == nil {
		t.Error("an unknown token was taken")
	}
}

// The line about the end of a WebSocket connection says what it has carried, whatever the format.
func TestTheEndOfASocketIsALine(t *testing.T) {
	r := request()
	r.Method, r.Status, r.Length, r.Took = "WEBSOCKET", 1001, 40, 90*time.Second
	r.Socket = &Socket{ID: "c1", Received: 3, ReceivedBytes: 20, Sent: 4, SentBytes: 40}
	const carried = " received 3 messages, 20 bytes; sent 4 messages, 40 bytes\n"
	if got, want := accessLine(t, "tiny", r), "WEBSOCKET /functions/a/b/run?x=1 1001 40 - 90000.000 ms"+carried; got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
	var out bytes.Buffer
	access, err := NewAccess(AccessOptions{Out: &out, JSON: true})
	if err != nil {
		t.Fatal(err)
	}
	access.Log(r)
	const want = `"message":"WEBSOCKET /functions/a/b/run?x=1 1001","method":"WEBSOCKET","url":"/functions/a/b/run?x=1",` +
		`"closeCode":1001,"connection":"c1","received":3,"receivedBytes":20,"sent":4,"sentBytes":40,"milliseconds":90000.000,`
	if !strings.Contains(out.String(), want) {
		t.Errorf("wrote %s", out.String())
	}
}
