package wire

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/backstage/functions/sandbox/rawjson"
)

// Init is what a worker is told once, before it is ready.
type Init struct {
	// Modules may be required by functions; Env is the JSON object that all of them see.
	Modules []string `json:"modules"`
	// ModulesDir is where the worker looks for them before it looks beside the runner; empty for nowhere.
	ModulesDir string          `json:"modulesDir,omitempty"`
	Env        json.RawMessage `json:"env"`
	// MaxFrame bounds a frame of the host, MaxAnswer one of the worker, in bytes, and MaxLogs what a call prints.
	MaxFrame  int `json:"maxFrame"`
	MaxAnswer int `json:"maxAnswer"`
	MaxLogs   int `json:"maxLogs"`
	// Web says that all functions have the globals of the web platform: what these need is loaded at once.
	Web bool `json:"web,omitempty"`
	// Fetch says that all functions use fetch: what that needs is loaded at once.
	Fetch bool `json:"fetch,omitempty"`
	// Rollback says that workers are put back to a snapshot: what they draw of random numbers before it is counted.
	Rollback bool `json:"rollback,omitempty"`
	// Tmp is the size of the worker's own /tmp in bytes; 0 when it has none.
	Tmp int64 `json:"tmp,omitempty"`
	// Timeout is the time until the answer of calls that name no other, in milliseconds.
	Timeout int64 `json:"timeout,omitempty"`
	// Filter is the system-call filter of a forked worker: an array of struct sock_filter; none when empty.
	Filter []byte `json:"filter"`
	// ZygoteFilter is that of the process which workers are forked from, once it has everything loaded.
	ZygoteFilter []byte `json:"zygoteFilter,omitempty"`
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
	// ExtraCA holds certificates beside those of Node.js; TLSInsecure has TLS connections made whatever certificate is
	// shown.
	ExtraCA     string `json:"extraCA,omitempty"`
	TLSInsecure bool   `json:"tlsInsecure,omitempty"`
}

// AppendInit appends the init frame.
func AppendInit(dst []byte, init Init) ([]byte, error) {
	if init.Modules == nil {
		init.Modules = []string{} // null is no list
	}
	if len(init.Env) == 0 {
		init.Env = json.RawMessage("{}")
	}
	text, err := json.Marshal(struct {
		Type string `json:"type"`
		Init
	}{"init", init})
	if err != nil {
		return dst, err
	}
	return append(append(dst, text...), '\n'), nil
}

// Load is the code of a function.
type Load struct {
	Filename, Code string
	// Cache is what a Compile has answered for the same code, or nothing.
	Cache json.RawMessage
	// Web gives the code the globals of the web platform. Once runs its top-level code once in the life of the worker,
	// not with each call.
	Web, Once bool
}

// AppendLoad appends the frame that binds a worker to its function.
func AppendLoad(dst []byte, load *Load) []byte {
	dst = append(dst, `{"type":"load","filename":`...)
	dst = appendString(dst, load.Filename)
	dst = append(dst, `,"code":`...)
	dst = appendString(dst, load.Code)
	dst = appendRaw(dst, `,"cache":`, load.Cache)
	if load.Web {
		dst = append(dst, `,"web":true`...)
	}
	if load.Once {
		dst = append(dst, `,"once":true`...)
	}
	return append(dst, '}', '\n')
}

// The kinds of Invoke.
const (
	Run     = "run"     // run the top-level code and call main
	Check   = "check"   // run the top-level code
	Compile = "compile" // run nothing, and answer V8's code cache as base64
	// Before the snapshot of a worker that is put back after each call; the body of the answer says what speaks against
	// the snapshot, and is left out when nothing does.
	Prepare = "prepare" // run the top-level code of a function with Once, for all calls
	Warmup  = "warmup"  // the same as Run, with a request of the function's author; the answer goes to nobody
)

// Invoke is one call.
type Invoke struct {
	ID   string
	Kind string // Run when empty
	// Env and Secrets are for Prepare, too, which has nothing of the call that it comes before; all others are for Run and
	// Warmup alone.
	Method string
	// Headers, Query, Env and Secrets are JSON objects, Body any JSON value; empty ones are left out or null.
	Headers, Query, Env, Secrets, Body json.RawMessage
	// Outgoing is a JSON object of headers for the HTTP requests that the call makes.
	Outgoing json.RawMessage
	// Spans asks for the spans of the call.
	Spans bool
	// Cut ends what the call has begun with its answer.
	Cut bool
	// Queued says of a call that nobody waits for which one it is; nil leaves it out.
	Queued *Queued
	// Timeout is the time until the answer in milliseconds, where it is another than that of Init; 0 leaves it out.
	Timeout int64
	// HTTP is a JSON object that tells more of the HTTP request: docs/protocol.md names its members. Empty leaves it out.
	HTTP json.RawMessage
	// Auth is a JSON object that says who calls. Empty leaves it out.
	Auth json.RawMessage
	// Raw is the body as bytes, where it is not nil; then there is no Body.
	Raw []byte
	// Behind is how many calls follow that the worker may serve after this one without being asked again.
	Behind int
}

// Queued is which attempt of which queued call an Invoke is. Its worker may send progress frames.
type Queued struct {
	ID      string
	Attempt int // from 1
}

// AppendInvoke appends the frame of a call. The raw values go through as they are, but for line breaks between their
// tokens, which become spaces: inside a JSON string a line break cannot stand.
func AppendInvoke(dst []byte, in *Invoke) []byte {
	dst = append(dst, `{"type":"invoke","id":`...)
	dst = appendString(dst, in.ID)
	dst = append(dst, `,"kind":"`...)
	kind := cmp.Or(in.Kind, Run)
	dst = append(dst, kind...)
	dst = append(dst, '"')
	switch kind {
	case Run, Warmup:
		return appendRun(dst, in)
	case Prepare:
		dst = appendRaw(dst, `,"env":`, in.Env)
		dst = appendRaw(dst, `,"secrets":`, in.Secrets)
	}
	return append(dst, '}', '\n')
}

// appendRun appends the rest of a frame that has a request.
func appendRun(dst []byte, in *Invoke) []byte {
	if in.Behind > 0 {
		dst = strconv.AppendInt(append(dst, `,"behind":`...), int64(in.Behind), 10)
	}
	dst = append(dst, `,"method":`...)
	dst = appendString(dst, in.Method)
	dst = appendRaw(dst, `,"headers":`, in.Headers)
	dst = appendRaw(dst, `,"query":`, in.Query)
	dst = appendRaw(dst, `,"env":`, in.Env)
	dst = appendRaw(dst, `,"secrets":`, in.Secrets)
	dst = appendRaw(dst, `,"outgoing":`, in.Outgoing)
	if in.Spans {
		dst = append(dst, `,"spans":true`...)
	}
	if in.Cut {
		dst = append(dst, `,"cut":true`...)
	}
	if in.Queued != nil {
		dst = appendString(append(dst, `,"queued":{"id":`...), in.Queued.ID)
		dst = strconv.AppendInt(append(dst, `,"attempt":`...), int64(in.Queued.Attempt), 10)
		dst = append(dst, '}')
	}
	if in.Timeout > 0 {
		dst = strconv.AppendInt(append(dst, `,"timeout":`...), in.Timeout, 10)
	}
	dst = appendRaw(dst, `,"http":`, in.HTTP)
	dst = appendRaw(dst, `,"auth":`, in.Auth)
	if in.Raw != nil {
		dst = append(dst, `,"raw":"`...)
		dst = append(base64.StdEncoding.AppendEncode(dst, in.Raw), '"')
	} else {
		dst = appendRaw(dst, `,"body":`, in.Body)
	}
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

// appendString appends s as a JSON string of ASCII alone: one character beyond it in the code of a function, and
// Node.js 8 needs a third more time and twice the memory to read the frame.
func appendString(dst []byte, s string) []byte { return rawjson.AppendASCII(dst, s) }
