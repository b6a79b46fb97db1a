package calls

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// payload is the document of a request. The bytes of a body that is not JSON follow it. Of a pipeline that has begun
// the body is what its current step gets; type is its media type, and status that of the answer so far.
//
//	{"method":"PUT","header":{…},"query":{…},"body":…,"bytes":true,"http":{…},"auth":{…}}\n<bytes>
type payload struct {
	Method string          `json:"method"`
	Header json.RawMessage `json:"header,omitempty"`
	Query  json.RawMessage `json:"query,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
	Bytes  bool            `json:"bytes,omitempty"`
	HTTP   json.RawMessage `json:"http,omitempty"`
	Auth   json.RawMessage `json:"auth,omitempty"`
	Type   string          `json:"type,omitempty"`
	Status int             `json:"status,omitempty"`
}

// EncodeRequest is the payload of a call.
func EncodeRequest(r *sandbox.Request) ([]byte, error) { return encodeStep(r, "", 0) }

// encodeStep is the payload of a step that gets r, with a body of that type, after an answer with that status.
func encodeStep(r *sandbox.Request, contentType string, status int) ([]byte, error) {
	head, err := marshal(payload{
		r.Method, r.Header, r.Query, r.Body, r.HasRaw, r.HTTP, r.Auth, contentType, status,
	})
	if err != nil {
		return nil, fmt.Errorf("calls: request: %w", err)
	}
	return append(head, r.Raw...), nil
}

// decodeStep is the inverse of encodeStep.
func decodeStep(text []byte) (r sandbox.Request, contentType string, status int, err error) {
	head, raw, _ := bytes.Cut(text, []byte("\n"))
	var p payload
	if err := json.Unmarshal(head, &p); err != nil {
		return r, "", 0, fmt.Errorf("calls: request: %w", err)
	}
	for _, object := range []json.RawMessage{p.Header, p.Query, p.HTTP, p.Auth} {
		if len(object) > 0 && !rawjson.IsObject(object) {
			return r, "", 0, errors.New("calls: request: a part of it is no object")
		}
	}
	r = sandbox.Request{
		Method: p.Method, Header: p.Header, Query: p.Query, Body: p.Body, HasRaw: p.Bytes, HTTP: p.HTTP, Auth: p.Auth,
	}
	if p.Bytes {
		r.Raw = raw
	}
	return r, p.Type, p.Status, nil
}

// Answer is what a call was answered with.
type Answer struct {
	Status int
	Header []sandbox.HeaderField
	// Body is JSON, Bytes anything else; nil for none. Nobody may change them.
	Body, Bytes []byte

	release func() // nil for what holds no memory of long answers
}

// Release lets others read long answers, and lets go of the body. Who got a from an Engine calls it when a begins to be
// sent, or is not. It may be called again.
func (a *Answer) Release() {
	a.Body, a.Bytes = nil, nil
	if a.release != nil {
		a.release()
	}
}

// answerHead is the document of an answer. The body follows it.
//
//	{"status":200,"header":[["a","b"]],"body":"json"}\n<body>
type answerHead struct {
	Status int         `json:"status"`
	Header [][2]string `json:"header,omitempty"`
	Body   string      `json:"body,omitempty"` // "json" or "bytes"; empty for none
}

func encodeAnswer(a *Answer) ([]byte, error) {
	head := answerHead{Status: a.Status}
	for _, f := range a.Header {
		head.Header = append(head.Header, [2]string{f.Name, f.Value})
	}
	body := a.Body
	switch {
	case a.Bytes != nil:
		head.Body, body = "bytes", a.Bytes
	case a.Body != nil:
		head.Body = "json"
	}
	text, err := marshal(head)
	if err != nil {
		return nil, fmt.Errorf("calls: answer: %w", err)
	}
	return append(text, body...), nil
}

func decodeAnswer(text []byte) (*Answer, error) {
	line, body, _ := bytes.Cut(text, []byte("\n"))
	var head answerHead
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, fmt.Errorf("calls: answer: %w", err)
	}
	a := &Answer{Status: head.Status}
	for _, f := range head.Header {
		a.Header = append(a.Header, sandbox.HeaderField{Name: f[0], Value: f[1]})
	}
	switch head.Body {
	case "bytes":
		a.Bytes = body
	case "json":
		a.Body = body
	}
	return a, nil
}

// marshal is v in one line that ends with a newline. Texts stay as they are: encoding/json would escape some.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return b.Bytes(), err
}
