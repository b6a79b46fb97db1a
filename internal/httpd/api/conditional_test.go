package api

import (
	"net/http"
	"testing"
)

func TestIsFresh(t *testing.T) {
	const (
		before = "Wed, 31 Dec 2014 23:59:59 GMT"
		at     = "Thu, 01 Jan 2015 00:00:00 GMT"
	)
	h := func(pairs ...string) http.Header {
		header := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			header.Add(pairs[i], pairs[i+1])
		}
		return header
	}
	for _, test := range []struct {
		name     string
		method   string
		status   int
		sent     http.Header
		tag      string
		modified string
		want     bool
	}{
		{"nothing asked", "GET", 200, h(), `"a"`, at, false},
		{"same tag", "GET", 200, h("If-None-Match", `"a"`), `"a"`, "", true},
		{"weak asks for strong", "GET", 200, h("If-None-Match", `W/"a"`), `"a"`, "", true},
		{"strong asks for weak", "GET", 200, h("If-None-Match", `"a"`), `W/"a"`, "", true},
		{"other tag", "GET", 200, h("If-None-Match", `"b"`), `"a"`, "", false},
		{"list", "GET", 200, h("If-None-Match", `"b" , "a"`), `"a"`, "", true},
		{"two lines", "GET", 200, h("If-None-Match", `"b"`, "If-None-Match", `"a"`), `"a"`, "", true},
		{"any", "HEAD", 200, h("If-None-Match", "*"), "", "", true},
		{"no tag to match", "GET", 200, h("If-None-Match", "undefined"), "", "", false},
		{"empty tags ask nothing", "GET", 200, h("If-None-Match", ""), "", "", false},
		{"bare text", "GET", 200, h("If-None-Match", "a"), "a", "", true},
		{"PUT", "PUT", 200, h("If-None-Match", "*"), "", "", false},
		{"299", "GET", 299, h("If-None-Match", "*"), "", "", true},
		{"300", "GET", 300, h("If-None-Match", "*"), "", "", false},
		{"304", "GET", 304, h("If-None-Match", "*"), "", "", true},
		{"no-cache", "GET", 200, h("If-None-Match", "*", "Cache-Control", "max-age=1, no-cache"), "", "", false},
		{"same time", "GET", 200, h("If-Modified-Since", at), "", at, true},
		{"older", "GET", 200, h("If-Modified-Since", before), "", at, false},
		{"newer", "GET", 200, h("If-Modified-Since", at), "", before, true},
		{"no time", "GET", 200, h("If-Modified-Since", at), "", "", false},
		{"no date", "GET", 200, h("If-Modified-Since", "soon"), "", at, false},
		{"ISO 8601", "GET", 200, h("If-Modified-Since", "2015-01-01T00:00:00.000Z"), "", "2015-01-01", true},
		{"tag yes, time no", "GET", 200, h("If-None-Match", `"a"`, "If-Modified-Since", before), `"a"`, at, false},
		{"tag no, time yes", "GET", 200, h("If-None-Match", `"b"`, "If-Modified-Since", at), `"a"`, at, false},
		{"both", "GET", 200, h("If-None-Match", `"a"`, "If-Modified-Since", at), `"a"`, at, true},
	} {
		answer := http.Header{headerETag: {test.tag}, "Last-Modified": {test.modified}}
		if got := isFresh(&http.Request{Method: test.method, Header: test.sent}, test.status, answer); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}

func TestWeakTagIsThatOfTheEtagModule(t *testing.T) {
	for body, want := range map[string]string{
		"":        `W/"0-1B2M2Y8AsgTpgAmY7PhCfg"`,
		"1":       `W/"1-xMpCOKC5I4INzFCab3WEmw"`,
		"WORKING": `W/"7-idA28JRDtpa8JZDB4fwVnQ"`,
		"null":    `W/"4-N6YlnMDB2uKZp4Zkid/wvQ"`,
	} {
		if got := weakTag([]byte(body)); got != want {
			t.Errorf("weakTag(%q) = %s, want %s", body, got, want)
		}
	}
}

func TestContentTypeFor(t *testing.T) {
	for _, test := range []struct {
		set     string
		hasBody bool
		want    string
	}{
		{"", true, "application/json; charset=utf-8"},
		{"", false, "application/json"},
		{"text/plain", true, "text/plain; charset=utf-8"},
		{"text/plain", false, "text/plain; charset=utf-8"},
		{"text/plain; charset=latin1", false, "text/plain; charset=latin1"},
		{"application/xml", true, "application/xml; charset=utf-8"},
		{"application/xml", false, "application/xml"},
		{"application/json;charset=ISO-8859-1", true, "application/json; charset=utf-8"},
		{`Text/HTML; Version=1;Charset=latin1; q="a b"`, true, `text/html; charset=utf-8; q="a b"; version=1`},
		{"application/octet-stream", true, "application/octet-stream"},
		{"Image/SVG+xml; x=1", true, "Image/SVG+xml; x=1"},
		{"video/mp4", true, "video/mp4"},
	} {
		if got, err := contentTypeFor(test.set, test.hasBody); err != nil || got != test.want {
			t.Errorf("contentTypeFor(%q, %t) = %q, %v, want %q", test.set, test.hasBody, got, err, test.want)
		}
	}
}
