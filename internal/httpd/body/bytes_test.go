package body_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/httpd/body"
)

// everyByte has each value of a byte, and some that no text has.
func everyByte() []byte {
	all := make([]byte, 0, 256+6)
	for i := range 256 {
		all = append(all, byte(i))
	}
	return append(all, "\r\n\xff\xfe\x00\xc0"...)
}

func zipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// post is a request with content, whose length is told or not, and with headers, names and values alternately.
func post(content []byte, chunked bool, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(content))
	if chunked {
		r = httptest.NewRequest(http.MethodPost, "/", io.MultiReader(bytes.NewReader(content)))
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func TestBytesAreThoseThatWereSent(t *testing.T) {
	for name, content := range map[string][]byte{
		"every byte": everyByte(), "empty": {}, "compressed": zipped(t, everyByte()), "JSON": []byte(` {"a" : 1.0} `),
		"broken JSON": []byte(`{"a":`), "long": bytes.Repeat(everyByte(), 1000),
	} {
		for _, chunked := range []bool{false, true} {
			r := post(content, chunked, "Content-Type", "application/json; charset=latin1", "Content-Encoding", "gzip")
			got, err := body.ReadBytes(r, body.Options{Limit: 1 << 20})
			if err != nil || got == nil || !bytes.Equal(got, content) {
				t.Errorf("%s, chunked %v: got %d bytes, %v", name, chunked, len(got), err)
			}
		}
	}
}

func TestBytesKeepToTheLimit(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		for size, want := range map[int]int{1000: 0, 1001: 413} {
			plain := post(make([]byte, size), chunked)
			_, err := body.ReadBytes(plain, body.Options{Limit: 1000})
			if got := statusOf(err); got != want {
				t.Errorf("%d bytes, chunked %v: %d, want %d", size, chunked, got, want)
			}
			bomb := post(zipped(t, make([]byte, size)), chunked, "Content-Encoding", "gzip", "Content-Type", "image/png")
			_, _, err = body.ReadAny(bomb, body.Options{Limit: 1000})
			if got := statusOf(err); got != want {
				t.Errorf("%d bytes in few, chunked %v: %d, want %d", size, chunked, got, want)
			}
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", untouchable{t})
	r.ContentLength = 1001
	for name, read := range map[string]func() error{
		"bytes": func() error { _, err := body.ReadBytes(r, body.Options{Limit: 1000}); return err },
		"any":   func() error { _, _, err := body.ReadAny(r, body.Options{Limit: 1000}); return err },
	} {
		if got := statusOf(read()); got != 413 {
			t.Errorf("%s: a long body that is announced is %d", name, got)
		}
	}
}

func TestBytesAskForMemory(t *testing.T) {
	for name, read := range map[string]func(*http.Request, body.Options) error{
		"bytes": func(r *http.Request, o body.Options) error { _, err := body.ReadBytes(r, o); return err },
		"any":   func(r *http.Request, o body.Options) error { _, _, err := body.ReadAny(r, o); return err },
	} {
		asked := 0
		err := read(post(make([]byte, 100_000), false), body.Options{Limit: 1 << 20, Grow: func(n int) bool {
			asked += n
			return asked < 50_000
		}})
		if !errors.Is(err, body.ErrNoRoom) || asked == 0 {
			t.Errorf("%s: %v after asking for %d bytes", name, err, asked)
		}
	}
}

func TestAnyBodyIsReadByItsType(t *testing.T) {
	const bytesOfIt = "bytes"
	latin := []byte(`["é"]`)
	for name, row := range map[string]struct {
		request *http.Request
		want    string // JSON, or bytesOfIt and a colon before them, or the status of the error
	}{
		"JSON":                  {post([]byte(` {"a":1}`), false, "Content-Type", "application/json"), `{"a":1}`},
		"JSON with a charset":   {post(latin, false, "Content-Type", "application/json; charset=UTF-8"), `["é"]`},
		"a suffix":              {post([]byte(`{"a":1}`), true, "Content-Type", "Application/Vnd.API+JSON; v=1"), `{"a":1}`},
		"a suffix, empty":       {post(nil, false, "Content-Type", "application/problem+json"), `{}`},
		"a suffix, broken":      {post([]byte(`{"a"`), false, "Content-Type", "application/problem+json"), "400"},
		"a suffix, compressed":  {post(zipped(t, []byte(`[1]`)), false, "Content-Type", "a/b+json", "Content-Encoding", "gzip"), `[1]`},
		"a scalar":              {post([]byte(`1`), false, "Content-Type", "application/json"), "400"},
		"no subtype":            {post([]byte(`{"a":1}`), false, "Content-Type", "+json"), bytesOfIt + `:{"a":1}`},
		"text":                  {post([]byte("a=1"), false, "Content-Type", "text/plain"), "bytes:a=1"},
		"a form":                {post([]byte("a=1"), true, "Content-Type", "application/x-www-form-urlencoded"), "bytes:a=1"},
		"a form, empty":         {post(nil, false, "Content-Type", "application/x-www-form-urlencoded"), "bytes:"},
		"no type":               {post([]byte("a"), false), "bytes:a"},
		"nothing":               {post(nil, false), "{}"},
		"compressed text":       {post(zipped(t, []byte("a")), true, "Content-Type", "text/plain", "Content-Encoding", "gzip"), "bytes:a"},
		"an unknown encoding":   {post([]byte("a"), false, "Content-Type", "text/plain", "Content-Encoding", "br"), "415"},
		"broken compression":    {post([]byte("a"), false, "Content-Type", "text/plain", "Content-Encoding", "gzip"), "400"},
		"a type that is broken": {post([]byte("a"), false, "Content-Type", "application/json; ="), "bytes:a"},
	} {
		text, raw, err := body.ReadAny(row.request, body.Options{Limit: 1 << 20, Strict: true})
		got := string(text)
		switch {
		case err != nil:
			got = map[int]string{400: "400", 413: "413", 415: "415"}[statusOf(err)]
		case raw != nil:
			got = bytesOfIt + ":" + string(raw)
			if text != nil {
				t.Errorf("%s: JSON and bytes", name)
			}
		}
		if got != row.want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, row.want)
		}
	}
}

// A body of a type with a suffix is no JSON to who does not ask for any body.
func TestSuffixesAreNoJSONElsewhere(t *testing.T) {
	r := post([]byte(`{"a":1}`), false, "Content-Type", "application/problem+json")
	if got, err := body.Read(r, body.Options{Limit: 1 << 20}); err != nil || string(got) != "{}" || body.IsJSON(r) {
		t.Errorf("got %s, %v", got, err)
	}
}

// statusOf is the status of a refused body, 0 of one that was read.
func statusOf(err error) int {
	if refused, ok := errors.AsType[*body.Error](err); ok {
		return refused.Status
	}
	return 0
}

func FuzzReadAny(f *testing.F) {
	f.Add([]byte(`{"a":1}`), "application/x+json", "gzip")
	f.Add(everyByte(), "image/png", "")
	f.Fuzz(func(t *testing.T, content []byte, mediaType, encoding string) {
		r := post(content, len(content)%2 == 0, "Content-Type", mediaType, "Content-Encoding", encoding)
		text, raw, err := body.ReadAny(r, body.Options{Limit: 1 << 16})
		if err != nil && statusOf(err) == 0 || err == nil && (text == nil) == (raw == nil) || len(raw) > 1<<16 {
			t.Fatalf("%q gave %q, %d bytes, %v", content, text, len(raw), err)
		}
		if encoding == "" && raw != nil && !bytes.Equal(raw, content) || strings.Contains(string(text), "\x00") {
			t.Fatalf("%q became %q, %q", content, text, raw)
		}
	})
}
