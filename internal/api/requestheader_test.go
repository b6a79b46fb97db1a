package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

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
		{"UTF-8", http.Header{"X-A": {"é\u2028✓"}}, "{\"host\":\"h:1\",\"x-a\":\"é\u2028✓\"}"},
		{"Latin-1", http.Header{"X-A": {"caf\xe9 \xff"}}, `{"host":"h:1","x-a":"café ÿ"}`},
		{"escapes", http.Header{"X-A": {"a\"b\\c\td"}}, `{"host":"h:1","x-a":"a\"b\\c\td"}`},
		{"omitted", http.Header{"X-A": {"1"}, "X-B": {"2"}, headerOmit: {"x-a , HOST"}}, `{"functions-omit-headers":"x-a , HOST","x-b":"2"}`},
		{"omitted twice", http.Header{"X-A": {"1"}, "X-B": {"2"}, headerOmit: {"x-a", "X-B,functions-omit-headers"}}, `{"host":"h:1"}`},
	} {
		if got := string(headerJSON(&http.Request{Host: "h:1", Header: test.header})); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestHeaderJSONNamesTheTransferEncoding(t *testing.T) {
	const want = `{"transfer-encoding":"chunked"}`
	if got := string(headerJSON(&http.Request{TransferEncoding: []string{"chunked"}})); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzHeaderJSONIsJSON(f *testing.F) {
	f.Add("text", "x-a")
	f.Add("\xff\x00\u2028", " ,,")
	f.Fuzz(func(t *testing.T, value, omit string) {
		text := headerJSON(&http.Request{Host: value, Header: http.Header{"X-A": {value, omit}, headerOmit: {omit}}})
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
