package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Init is what a worker is told once, before it is ready.
type Init struct {
	// Modules may be required by functions; Env is the JSON object that all of them see.
	Modules []string        `json:"modules"`
	Env     json.RawMessage `json:"env"`
	// MaxFrame and MaxLogs are in bytes.
	MaxFrame int `json:"maxFrame"`
	MaxLogs  int `json:"maxLogs"`
	// Filter is the system-call filter of a forked worker: an array of struct sock_filter; none when empty.
	Filter []byte `json:"filter"`
	// Egress is how functions reach the outside; nil leaves them what they find.
	Egress *Egress `json:"egress,omitempty"`
}

// Egress is what a worker must know of the way out.
type Egress struct {
	// Socket is the path of the proxy's socket as the worker sees it.
	Socket string `json:"socket"`
	// KeepAlive is that of the default HTTP agents; CA holds certificates in PEM, or nothing for those of Node.js.
	KeepAlive bool   `json:"keepAlive"`
	CA        string `json:"ca,omitempty"`
}

// AppendInit appends the init frame.
func AppendInit(dst []byte, init Init) ([]byte, error) {
	text, err := json.Marshal(struct {
		Type string `json:"type"`
		Init
	}{"init", init})
	if err != nil {
		return dst, err
	}
	return append(append(dst, text...), '\n'), nil
}

// AppendLoad appends the frame that binds a worker to its function.
func AppendLoad(dst []byte, filename, code string) []byte {
	dst = append(dst, `{"type":"load","filename":`...)
	dst = appendString(dst, filename)
	dst = append(dst, `,"code":`...)
	dst = appendString(dst, code)
	return append(dst, '}', '\n')
}

// Invoke is one call.
type Invoke struct {
	ID     string
	Check  bool
	Method string
	// Headers, Query and Env are JSON objects, Body any JSON value; empty ones are left out or null.
	Headers, Query, Env, Body json.RawMessage
	// Outgoing is a JSON object of headers for the HTTP requests that the call makes.
	Outgoing json.RawMessage
	// Spans asks for the spans of the call.
	Spans bool
	// Behind is how many calls follow that the worker may serve after this one without being asked again.
	Behind int
}

// AppendInvoke appends the frame of a call. The raw values go through as they are, but for line breaks between their tokens, which
// become spaces: inside a JSON string a line break cannot stand.
func AppendInvoke(dst []byte, in *Invoke) []byte {
	dst = append(dst, `{"type":"invoke","id":`...)
	dst = appendString(dst, in.ID)
	if in.Check {
		return append(dst, `,"kind":"check"}`+"\n"...)
	}
	dst = append(dst, `,"kind":"run"`...)
	if in.Behind > 0 {
		dst = strconv.AppendInt(append(dst, `,"behind":`...), int64(in.Behind), 10)
	}
	dst = append(dst, `,"method":`...)
	dst = appendString(dst, in.Method)
	dst = appendRaw(dst, `,"headers":`, in.Headers)
	dst = appendRaw(dst, `,"query":`, in.Query)
	dst = appendRaw(dst, `,"env":`, in.Env)
	dst = appendRaw(dst, `,"outgoing":`, in.Outgoing)
	if in.Spans {
		dst = append(dst, `,"spans":true`...)
	}
	dst = appendRaw(dst, `,"body":`, in.Body)
	return append(dst, '}', '\n')
}

func appendRaw(dst []byte, name string, value json.RawMessage) []byte {
	if len(value) == 0 {
		return dst
	}
	dst = append(dst, name...)
	start := len(dst)
	dst = append(dst, value...)
	for _, lineBreak := range []byte{'\n', '\r'} {
		rest := dst[start:]
		for i := bytes.IndexByte(rest, lineBreak); i >= 0; i = bytes.IndexByte(rest, lineBreak) {
			rest[i] = ' '
			rest = rest[i+1:]
		}
	}
	return dst
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			text, err := json.Marshal(s)
			if err != nil { // a string always marshals
				panic(err)
			}
			return append(dst, text...)
		}
	}
	return strconv.AppendQuote(dst, s)
}
