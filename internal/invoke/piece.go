package invoke

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// ErrBytes ends a pipeline before a step that gets bytes and takes none: a fault of who has put the steps together.
var ErrBytes = outcome.BadRequest(
	`The step gets bytes, which its function does not take: deploy it with "body":"raw" or "body":"auto"`,
)

// piece is what a step of a pipeline gets as its body: that of the request, or the answer of the step before.
type piece struct {
	json json.RawMessage // nil for undefined
	// bytes are in place of JSON, if they are not nil.
	bytes []byte
	// contentType is that of an answer; empty for that of the request.
	contentType string
}

// requested is the body of a request.
func requested(r *sandbox.Request) piece {
	p := piece{json: r.Body}
	if p.bytes = r.Raw; r.HasRaw && p.bytes == nil {
		p.bytes = []byte{}
	}
	return p
}

// answered is the body of an answer.
func answered(result *sandbox.Result) piece {
	p := piece{json: result.Body, bytes: result.Bytes, contentType: jsonType}
	if p.bytes != nil {
		p.contentType = "application/octet-stream"
	}
	p.contentType = cmp.Or(contentTypeOf(result.Header), p.contentType)
	return p
}

const headerType = "Content-Type"

// contentTypeOf is the last one that was set, which counts; empty for none.
func contentTypeOf(header []sandbox.HeaderField) string {
	for _, field := range slices.Backward(header) {
		if strings.EqualFold(field.Name, headerType) {
			return field.Value
		}
	}
	return ""
}

// size is how many bytes it has, and those that it takes on its way to a worker beside them.
func (p *piece) size() int {
	if p.bytes == nil {
		return len(p.json)
	}
	return len(p.bytes) + base64.StdEncoding.EncodedLen(len(p.bytes))
}

// into makes it the body of the request of a step, in the form that its function asks for.
func (p *piece) into(request *sandbox.Request, fn *function.Function) error {
	form := Found{Function: fn}.Body()
	request.Body, request.Raw, request.HasRaw = nil, nil, false
	request.HTTP = asking(request.HTTP, form)
	switch {
	case p.bytes == nil && form != function.BodyRaw:
		request.Body = p.json
		return nil
	case p.bytes != nil && form == function.BodyJSON:
		return ErrBytes
	}
	request.Raw, request.HasRaw = p.bytes, true
	if p.bytes == nil {
		request.Raw = p.json
	}
	if p.contentType != "" {
		request.Header = describing(request.Header, p.contentType, len(request.Raw))
	}
	return nil
}

// Give makes text, which is JSON of any kind, the body of a request of the function, in the form that it asks for, and
// has the headers describe it.
func (f Found) Give(request *sandbox.Request, text json.RawMessage) {
	p := piece{json: text, contentType: jsonType}
	_ = p.into(request, f.Function) // which takes JSON in any form
	request.Header = describing(request.Header, jsonType, len(text))
}

// jsonType is the media type of what has no other.
const jsonType = "application/json; charset=utf-8"

// describing is header, an object, with what it says of the body replaced.
func describing(header json.RawMessage, contentType string, length int) json.RawMessage {
	o := rawjson.NewObject(make([]byte, 0, len(header)+len(contentType)+64))
	for name, value := range rawjson.Members(header) {
		switch name := rawjson.Unquote(name); name {
		case "content-type", "content-length", "content-encoding", "transfer-encoding":
		default:
			o.Raw(name, value)
		}
	}
	o.String("content-type", contentType)
	o.String("content-length", strconv.Itoa(length))
	return o.End()
}

// asking is what a function is told of HTTP that asks for its body in that form; docs/protocol.md has the members.
func asking(http json.RawMessage, form string) json.RawMessage {
	if http == nil {
		return nil
	}
	o := rawjson.NewObject(make([]byte, 0, len(http)+len(`,"body":"auto"`)))
	for name, value := range rawjson.Members(http) {
		if name := rawjson.Unquote(name); name != "body" {
			o.Raw(name, value)
		}
	}
	if form == function.BodyAuto {
		o.String("body", form)
	}
	return o.End()
}
