package body_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/httpd/body"
)

// put is a request with a JSON body.
func put(content io.Reader) *http.Request {
	r := httptest.NewRequest(http.MethodPut, "/", content)
	r.Header.Set("Content-Type", "application/json")
	return r
}

func TestTextIsHandedOnAsItCame(t *testing.T) {
	for _, text := range []string{
		`{"b":1,"a":2,"b":3,"1":4}`,
		`[1.0,1e3,-0,123456789012345678901234567890,1E400]`,
		`{ "a" :` + "\n\t" + `[ 1 , 2 ] }`,
		`["\ud800","\u0041","\/","<&>` + "\u2028" + `"]`,
		`{"__proto__":{"x":1}}`,
	} {
		for _, space := range []string{"", " ", "\r\n\t "} {
			got, err := body.Read(put(strings.NewReader(space+text+space)), body.Options{Limit: 1 << 20, Strict: true})
			if err != nil || string(got) != text {
				t.Errorf("%q became %q, %v", space+text+space, got, err)
			}
		}
	}
}

func TestRequestWithoutBodyIsAnEmptyObject(t *testing.T) {
	for name, r := range map[string]*http.Request{
		"none":   put(nil),
		"NoBody": put(http.NoBody),
		"empty":  put(strings.NewReader("")),
		"client": {Header: http.Header{"Content-Type": {"application/json"}}},
	} {
		r.Header.Set("Content-Encoding", "gzip")
		for _, strict := range []bool{true, false} {
			got, err := body.Read(r, body.Options{Strict: strict})
			if err != nil || string(got) != "{}" {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		}
	}
}

// untouchable fails the test when it is read.
type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestBodyOfOtherMediaTypesIsNotRead(t *testing.T) {
	for _, mediaType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/vnd.api+json"} {
		r := put(untouchable{t})
		r.Header.Set("Content-Type", mediaType)
		got, err := body.Read(r, body.Options{Limit: 1 << 20, Strict: true})
		if err != nil || string(got) != "{}" {
			t.Errorf("%q: got %q, %v", mediaType, got, err)
		}
	}
}

func TestHopelessBodyIsRefusedUnread(t *testing.T) {
	for name, c := range map[string]struct {
		header, value string
		status        int
	}{
		"length":   {"Content-Length", "101", http.StatusRequestEntityTooLarge},
		"encoding": {"Content-Encoding", "br", http.StatusUnsupportedMediaType},
		"charset":  {"Content-Type", "application/json; charset=latin1", http.StatusUnsupportedMediaType},
		"utf-7":    {"Content-Type", "application/json; charset=utf-7", http.StatusUnsupportedMediaType},
	} {
		t.Run(name, func(t *testing.T) {
			r := put(untouchable{t})
			r.Header.Set(c.header, c.value)
			r.ContentLength = 101
			if name != "length" {
				r.ContentLength = 99
			}
			_, err := body.Read(r, body.Options{Limit: 100})
			var refused *body.Error
			if !errors.As(err, &refused) || refused.Status != c.status {
				t.Errorf("got %v, want status %d", err, c.status)
			}
		})
	}
}

func TestNestingIsLimited(t *testing.T) {
	const limit = 1000
	for name, c := range map[string]struct{ open, inner, end string }{
		"arrays":  {"[", "[]", "]"},
		"objects": {`{"a":`, "{}", "}"},
	} {
		t.Run(name, func(t *testing.T) {
			nested := func(depth int) *http.Request {
				return put(strings.NewReader(strings.Repeat(c.open, depth-1) + c.inner + strings.Repeat(c.end, depth-1)))
			}
			o := body.Options{Limit: 1 << 20, Strict: true}
			if _, err := body.Read(nested(limit), o); err != nil {
				t.Errorf("%d levels: %v", limit, err)
			}
			_, err := body.Read(nested(limit+1), o)
			if err == nil || !strings.HasPrefix(err.Error(), "JSON is nested deeper than 1000 levels at position ") {
				t.Errorf("%d levels: %v", limit+1, err)
			}
		})
	}
	deep := put(strings.NewReader(strings.Repeat("[", 7) + strings.Repeat("]", 7)))
	const want = "JSON is nested deeper than 6 levels at position 6: the limit is BODY_PARSER_DEPTH"
	if _, err := body.Read(deep, body.Options{Limit: 100, Depth: 6}); err == nil || err.Error() != want {
		t.Errorf("with a limit of its own: %v", err)
	}
	siblings := "[" + strings.Repeat("[],{},", 5000) + "0]"
	if _, err := body.Read(put(strings.NewReader(siblings)), body.Options{Limit: 1 << 20}); err != nil {
		t.Errorf("siblings count as levels: %v", err)
	}
}

func TestSmallBodyCostsTwoAllocations(t *testing.T) {
	text := []byte(`{"name":"Ada","tags":["x","y"],"age":36}`)
	content := bytes.NewReader(text)
	r := put(content)
	allocs := testing.AllocsPerRun(100, func() {
		content.Reset(text)
		if _, err := body.Read(r, body.Options{Limit: 1 << 20, Strict: true}); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 2 {
		t.Errorf("%v allocations, want the buffer and its source", allocs)
	}
}

func BenchmarkRead(b *testing.B) {
	small := []byte(`{"name":"Ada","tags":["x","y"],"age":36,"address":{"city":"London","zip":"W1U 6RS"}}`)
	large := []byte("[" + strings.Repeat(string(small)+",", 1000) + "{}]")
	text := []byte(`{"text":"` + strings.Repeat("a", 100_000) + `"}`)
	for name, text := range map[string][]byte{"small": small, "large": large, "text": text} {
		b.Run(name, func(b *testing.B) {
			content := bytes.NewReader(text)
			r := put(content)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				content.Reset(text)
				if _, err := body.Read(r, body.Options{Limit: 1 << 20, Strict: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
