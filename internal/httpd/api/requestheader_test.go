package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// sentNames are names as connections.HeaderNames has them.
func sentNames(names []string) string { return strings.Join(names, "\n") + "\n" }

func TestHeaderJSON(t *testing.T) {
	for _, test := range []struct {
		name   string
		header http.Header
		want   string
	}{
		{"none", nil, `{"host":"h:1"}`},
		{"sorted, in lower case", http.Header{"X-B": {"2"}, "A": {"1"}}, `{"a":"1","host":"h:1","x-b":"2"}`},
		{"joined", http.Header{"X-A": {"1", "2", "3"}}, `{"host":"h:1","x-a":"1, 2, 3"}`},
		{"cookies", http.Header{"Cookie": {"a=1", "b=2"}}, `{"cookie":"a=1; b=2","host":"h:1"}`},
		{"the first counts", http.Header{"Authorization": {"a", "b"}, "User-Agent": {"c", "d"}}, `{"authorization":"a","host":"h:1","user-agent":"c"}`},
		{"tags", http.Header{"Etag": {"a", "b"}, "If-None-Match": {"a", "b"}}, `{"etag":"a","host":"h:1","if-none-match":"a, b"}`},
		{"Latin-1", http.Header{"X-A": {"caf\xe9 \xff"}}, `{"host":"h:1","x-a":"café ÿ"}`},
		{"each byte is a character", http.Header{"X-A": {"Jos\xc3\xa9 \x80"}}, "{\"host\":\"h:1\",\"x-a\":\"JosÃ© \u0080\"}"},
		{"cookies to be set are a list", http.Header{"Set-Cookie": {"a=\xe9", "b"}, "X-A": {"1"}}, `{"host":"h:1","set-cookie":["a=é","b"],"x-a":"1"}`},
		{"no prototype", http.Header{"__proto__": {"1"}, "Constructor": {"2"}}, `{"constructor":"2","host":"h:1"}`},
		{"escapes", http.Header{"X-A": {"a\"b\\c\td"}}, `{"host":"h:1","x-a":"a\"b\\c\td"}`},
		{"omitted", http.Header{"X-A": {"1"}, "X-B": {"2"}, headerOmit: {"x-a , HOST"}}, `{"functions-omit-headers":"x-a , HOST","x-b":"2"}`},
		{"omitted twice", http.Header{"X-A": {"1"}, "X-B": {"2"}, headerOmit: {"x-a", "X-B,functions-omit-headers"}}, `{"host":"h:1"}`},
	} {
		if got := string(headerJSON(&http.Request{Host: "h:1", Header: test.header}, "")); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestHeaderJSONNamesTheTransferEncoding(t *testing.T) {
	const want = `{"transfer-encoding":"chunked"}`
	if got := string(headerJSON(&http.Request{TransferEncoding: []string{"chunked"}}, sentNames([]string{"host", "Transfer-Encoding"}))); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestHeaderJSONKeepsTheOrderInWhichNamesCame(t *testing.T) {
	header := http.Header{"Zeta": {"1", "4"}, "X-B": {"2"}, "Alpha": {"3"}, "Left": {"5"}, "Over": {"6"}}
	sent := []string{"ZETA", "nowhere", "x-b", "hOST", "Alpha", "zeta", ""}
	const want = `{"zeta":"1, 4","x-b":"2","host":"h","alpha":"3","left":"5","over":"6"}`
	if got := string(headerJSON(&http.Request{Host: "h", Header: header}, sentNames(sent))); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestHeaderJSONHasEveryHeaderOnceHoweverManyThereAre(t *testing.T) {
	header, sent, want := http.Header{}, []string{}, map[string]string{"host": "h"}
	for i := range 3 * maxOrdered {
		name := "X-" + strconv.Itoa(i)
		header[name], sent, want[strings.ToLower(name)] = []string{"v"}, append(sent, name), "v"
	}
	text := headerJSON(&http.Request{Host: "h", Header: header}, sentNames(append(sent, sent...)))
	var got map[string]string
	if err := json.Unmarshal(text, &got); err != nil || !maps.Equal(got, want) || strings.Count(string(text), `"v"`) != len(header) {
		t.Errorf("%v: %s", err, text)
	}
}

func BenchmarkHeaderJSON(b *testing.B) {
	sent := []string{"Host", "Connection", "User-Agent", "Accept", "Accept-Encoding", "Content-Type", "Content-Length", "X-Request-Id"}
	for name, value := range map[string]string{"ascii": "text/html; q=0.8, application/json", "latin1": "text/html; q=0.8, application/js\xe9n"} {
		r := &http.Request{Host: "localhost:8100", Header: http.Header{}}
		for _, name := range sent[1:] {
			r.Header[name] = []string{value}
		}
		names := sentNames(sent)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				headerJSON(r, names)
			}
		})
	}
}

func FuzzHeaderJSONIsJSON(f *testing.F) {
	f.Add("text", "x-a")
	f.Add("\xff\x00\u2028", " ,,")
	f.Fuzz(func(t *testing.T, value, omit string) {
		r := &http.Request{Host: value, Header: http.Header{"X-A": {value, omit}, headerOmit: {omit}}}
		text := headerJSON(r, sentNames(strings.Split(value+",X-A,x-a,"+omit, ",")))
		var object map[string]string
		if err := json.Unmarshal(text, &object); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if _, ok := object["x-a"]; !ok && !strings.Contains(strings.ToLower(omit), "x-a") {
			t.Errorf("x-a is missing in %s", text)
		}
	})
}

func TestRequestIDsAreHarmless(t *testing.T) {
	for id, want := range map[string]bool{
		"a": true, "A-z_0.9": true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "a b": false, "a\n": false, "é": false, "a/b": false, `a"b`: false,
	} {
		if got := isRequestID(id); got != want {
			t.Errorf("isRequestID(%q) = %t", id, got)
		}
	}
}
