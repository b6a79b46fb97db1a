package body_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"testing"

	"github.com/backstage/functions/internal/httpd/body"
)

// exchange is one request and what body-parser 1.15.2 on Node.js 8.17 made of it.
type exchange struct {
	Group    string `json:"group"`
	Type     string `json:"type"`
	Encoding string `json:"encoding"`
	Chunked  bool   `json:"chunked"`
	Loose    bool   `json:"loose"` // strict: false
	Limit    *int64 `json:"limit"` // 1 MiB when absent
	Body     []byte `json:"body"`
	Status   int    `json:"status"`
	Want     string `json:"want"` // the body as JSON.stringify shows it, or the error's message
}

func (e exchange) request() *http.Request {
	var content io.Reader = bytes.NewReader(e.Body)
	if e.Chunked {
		content = struct{ io.Reader }{content}
	}
	r := httptest.NewRequest(http.MethodPut, "/", content)
	if e.Type != "" {
		r.Header.Set("Content-Type", e.Type)
	}
	if e.Encoding != "" {
		r.Header.Set("Content-Encoding", e.Encoding)
	}
	return r
}

func (e exchange) options() body.Options {
	o := body.Options{Limit: 1 << 20, Strict: !e.Loose}
	if e.Limit != nil {
		o.Limit = *e.Limit
	}
	return o
}

func TestReadAnswersAsTheOriginalParser(t *testing.T) {
	var cases []exchange
	load(t, "testdata/exchanges.json", &cases)
	for _, c := range cases {
		t.Run(c.Group, func(t *testing.T) {
			text, err := body.Read(c.request(), c.options())
			if err != nil {
				checkError(t, err, c.Status, c.Want)
				return
			}
			if c.Status != http.StatusOK {
				t.Errorf("%q gave %s, want %d %s", c.Body, text, c.Status, c.Want)
			} else if !sameJSON(t, text, []byte(c.Want)) {
				t.Errorf("%q gave %s, want %s", c.Body, text, c.Want)
			}
		})
	}
}

func TestFaultyJSONIsExplainedAsNodeDoes(t *testing.T) {
	var cases []struct{ Text, Want string }
	load(t, "testdata/faults.json", &cases)
	for _, c := range cases {
		e := exchange{Type: "application/json", Body: []byte(c.Text)}
		_, err := body.Read(e.request(), body.Options{Limit: 1 << 20})
		if err == nil {
			t.Errorf("%q is accepted, want %s", c.Text, c.Want)
			continue
		}
		checkError(t, err, http.StatusBadRequest, c.Want)
	}
}

func load(tb testing.TB, file string, into any) {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		tb.Fatal(err)
	}
}

func checkError(t *testing.T, err error, status int, message string) {
	t.Helper()
	var refused *body.Error
	if !errors.As(err, &refused) {
		t.Fatalf("error is a %T: %v", err, err)
	}
	if refused.Status != status || refused.Error() != message {
		t.Errorf("refused with %d %q, want %d %q", refused.Status, refused, status, message)
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		t.Fatalf("%s and %s: %v", a, b, err)
	}
	return reflect.DeepEqual(x, y)
}
