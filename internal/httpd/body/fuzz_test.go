package body_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/backstage/functions/internal/httpd/body"
)

func FuzzRead(f *testing.F) {
	var cases []exchange
	load(f, "testdata/exchanges.json", &cases)
	for _, c := range cases {
		f.Add(c.Body, c.Type, c.Encoding, c.Loose)
	}
	f.Fuzz(func(t *testing.T, content []byte, mediaType, encoding string, loose bool) {
		const limit = 1 << 16
		r := exchange{Type: mediaType, Encoding: encoding, Body: content}.request()
		text, err := body.Read(r, body.Options{Limit: limit, Strict: !loose})
		if err != nil {
			var refused *body.Error
			if !errors.As(err, &refused) || refused.Status < 400 || refused.Status > 499 || refused.Message == "" {
				t.Fatalf("error is %T %v", err, err)
			}
			return
		}
		if !json.Valid(text) || !utf8.Valid(text) {
			t.Fatalf("%q gave %q", content, text)
		}
		if !loose && text[0] != '{' && text[0] != '[' {
			t.Fatalf("%q gave %q although strict", content, text)
		}
	})
}

func FuzzAgreementWithEncodingJSON(f *testing.F) {
	var cases []struct{ Text string }
	load(f, "testdata/faults.json", &cases)
	for _, c := range cases {
		f.Add([]byte(c.Text))
	}
	f.Add([]byte(` {"a":[1,-2.5e+3,"\u00e9\n",true,false,null,{}]} `))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) == 0 || !utf8.Valid(content) || bytes.HasPrefix(content, []byte("\uFEFF")) ||
			bytes.Count(content, []byte("["))+bytes.Count(content, []byte("{")) > 1000 {
			return
		}
		text, err := body.Read(put(bytes.NewReader(content)), body.Options{Limit: 1 << 30})
		if (err == nil) != json.Valid(content) {
			t.Fatalf("%q: %v, but encoding/json says valid = %v", content, err, json.Valid(content))
		}
		if err == nil && !bytes.Equal(text, bytes.Trim(content, " \t\r\n")) {
			t.Fatalf("%q became %q", content, text)
		}
	})
}
