package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/queue"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// answerLine is the line of what a function has answered:
//
//	{"index":0,"status":200,"body":{…}}                         JSON, or text as a string
//	{"index":1,"status":200,"type":"image/png","base64":"…"}    other bytes
//	{"index":2,"status":201,"header":{"X-A":"b"}}               with headers of the function, if it has set some
func answerLine(index int, result *sandbox.Result) []byte {
	o := lineOf(index, result.Status)
	header, contentType := headerOf(result.Header)
	if header != nil {
		o.Raw("header", header)
	}
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	switch isJSON := media == contentTypeNoBody || strings.HasSuffix(media, "+json"); {
	case result.Bytes == nil && result.Body != nil:
		o.Raw("body", inOneLine(result.Body))
	case result.Bytes == nil:
	case isJSON && json.Valid(result.Bytes):
		o.Raw("body", inOneLine(result.Bytes))
	case strings.HasPrefix(media, "text/") && utf8.Valid(result.Bytes):
		o.String("type", contentType)
		o.String("body", string(result.Bytes))
	default:
		addText(&o, "type", contentType)
		o.String("base64", base64.StdEncoding.EncodeToString(result.Bytes))
	}
	return o.End()
}

func lineOf(index, status int) rawjson.Object {
	o := rawjson.NewObject(nil)
	if index >= 0 {
		o.Int("index", int64(index))
	}
	o.Int("status", int64(status))
	return o
}

// headerOf is the headers that a function has set, as an object, but for the type of the body; nil for none.
func headerOf(fields []sandbox.HeaderField) (header []byte, contentType string) {
	o := rawjson.NewObject(nil)
	some := false
	for _, f := range fields {
		if strings.EqualFold(f.Name, headerType) {
			contentType = f.Value
			continue
		}
		some = true
		o.String(f.Name, f.Value)
	}
	if !some {
		return nil, contentType
	}
	return o.End(), contentType
}

// inOneLine is a JSON text without line breaks.
func inOneLine(text []byte) []byte {
	if bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0 {
		return text
	}
	var out bytes.Buffer
	if json.Compact(&out, text) != nil {
		return text // it was read as JSON before
	}
	return out.Bytes()
}

// acceptedLine is the line of an input that is in the queue.
func acceptedLine(index int, ref function.Ref, id string, status queue.Status) []byte {
	o := lineOf(index, 202)
	o.String("id", id)
	o.String("state", string(status))
	o.String("location", callURL(ref, id))
	return o.End()
}

// failure is the line of an input that failed, or, with a negative index, of a batch that ends.
func (b *batch) failure(index int, err error) []byte {
	out := outcome.Of(err)
	if out.Hidden {
		b.logFailure(b.r, slog.LevelError, "Input of a batch failed", err)
	}
	b.logDeath(b.r, out, err)
	if missing, ok := errors.AsType[*sandbox.RuntimeError](err); ok {
		b.warnRuntime(b.r, missing)
	}
	o := lineOf(index, out.Status)
	o.String("error", out.Message)
	addText(&o, "reason", out.Reason)
	if out.Retry {
		seconds, _ := strconv.Atoi(retryAfter(out.RetryAfter, out.Exact)) // which is a number
		o.Int("retryAfter", int64(seconds))
	}
	return o.End()
}
