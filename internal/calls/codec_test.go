package calls

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/backstage/functions/sandbox"
)

func TestRequestsAreTheSameAfterTheQueue(t *testing.T) {
	for name, r := range map[string]sandbox.Request{
		"JSON": {
			Method: "PUT", Header: []byte(`{"a":"<&>"}`), Query: []byte(`{"q":["1","2"]}`),
			Body: []byte(`{"n":1.0,"big":12345678901234567890,"t":"\u2028\n"}`),
		},
		"bytes":       {Method: "POST", Header: []byte(`{}`), Query: []byte(`{}`), HasRaw: true, Raw: []byte("\n\x00\xff\n")},
		"empty bytes": {Method: "POST", Header: []byte(`{}`), Query: []byte(`{}`), HasRaw: true, Raw: []byte{}},
		"no body":     {Method: "GET", Header: []byte(`{}`), Query: []byte(`{}`), HTTP: []byte(`{"path":"/"}`)},
		"a caller":    {Method: "GET", Header: []byte(`{}`), Query: []byte(`{}`), Auth: []byte(`{"type":"key","id":"K"}`)},
	} {
		text, err := EncodeRequest(&r)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _, err := decodeStep(text); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, r)
		}
	}
}

func TestAnswersAreTheSameAfterTheQueue(t *testing.T) {
	header := []sandbox.HeaderField{{Name: "A", Value: "<é>"}, {Name: "a", Value: ""}}
	for name, a := range map[string]Answer{
		"JSON":    {Status: 201, Header: header, Body: []byte("{\"a\":\n1}")},
		"bytes":   {Status: 200, Bytes: []byte("\n\n\x00")},
		"nothing": {Status: 204},
	} {
		text, err := encodeAnswer(&a)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeAnswer(text); err != nil || !reflect.DeepEqual(*got, a) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, a)
		}
	}
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte("{\"method\":\"PUT\",\"header\":{},\"bytes\":true}\nabc"))
	f.Add([]byte(`{"method":"PUT","header":[],"body":{"a":1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, _, _, err := decodeStep(text)
		if err != nil {
			return
		}
		again, err := EncodeRequest(&r)
		if err != nil {
			t.Fatalf("%q cannot be written again: %v", text, err)
		}
		if second, _, _, err := decodeStep(again); err != nil || !bytes.Equal(second.Raw, r.Raw) {
			t.Errorf("%q became %q, %v", text, again, err)
		}
	})
}

func TestStepsAreTheSameAfterTheQueue(t *testing.T) {
	for _, body := range []string{"null", `{"a":1}`, ""} {
		r := sandbox.Request{Method: "PUT", Header: []byte(`{}`), Query: []byte(`{}`), Body: []byte(body)}
		if body == "" {
			r.Body, r.HasRaw, r.Raw = nil, true, []byte("\n\n")
		}
		text, err := encodeStep(&r, "image/png; a=\"<\"", 304)
		if err != nil {
			t.Fatal(err)
		}
		got, contentType, status, err := decodeStep(text)
		if err != nil || !reflect.DeepEqual(got, r) || contentType != "image/png; a=\"<\"" || status != 304 {
			t.Errorf("got %+v, %q, %d, %v; want %+v", got, contentType, status, err, r)
		}
	}
}
