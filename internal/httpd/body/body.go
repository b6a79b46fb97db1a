// Package body reads request bodies: JSON as the json parser of the npm module body-parser 1.15 does, and bytes.
package body

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
)

// Options says what Read accepts.
type Options struct {
	// Limit is the largest body, in bytes after decompression and before its charset is decoded. Zero, the default,
	// and less refuse every body that is not empty. Compressed, a body may be larger than that by what compression adds
	// to incompressible data, and no more: however little it holds, to decompress it costs time.
	Limit int64
	// Extends is asked once a body turns out to be longer than Limit, with its beginning of that length: true makes
	// Extended its limit. Nil makes Limit that of every body.
	Extends  func(beginning []byte) bool
	Extended int64
	// Depth is how deep objects and arrays may nest; 0 stands for DefaultDepth.
	Depth int
	// Strict demands an object or an array at the top level.
	Strict bool
	// Grow is asked before more than a few KB are used for the body, with how many bytes more; false refuses the body
	// with ErrNoRoom. Nil always says yes.
	Grow func(bytes int) bool
}

// ErrNoRoom means that Grow has refused a body.
var ErrNoRoom = errors.New("body: no room")

// Read returns the JSON text in the body of r: as the client wrote it, in UTF-8, without space around it. It is {} when
// there is no body, when the body is empty and when its media type is not application/json; such a body is not read.
//
// The errors of Read are of type *Error, but for ErrNoRoom. What is left of the body after an error is the server's to
// drain or to drop.
func Read(r *http.Request, o Options) (json.RawMessage, error) {
	if isEmpty(r) {
		return nothing(), nil
	}
	charset, ok := jsonCharset(r.Header.Get("Content-Type"), false)
	if !ok {
		return nothing(), nil
	}
	return readJSON(r, charset, o.withDefaults())
}

func readJSON(r *http.Request, charset string, o Options) (json.RawMessage, error) {
	encoding := contentEncoding(r.Header)
	decode, known := decoderOf(charset)
	switch {
	case !strings.HasPrefix(charset, "utf-"):
		return nil, unsupportedCharset(charset)
	case !knownEncoding(encoding):
		return nil, unsupportedEncoding(encoding)
	case o.Extends == nil && r.ContentLength > rawLimit(encoding, o.Limit):
		return nil, tooLarge(nil)
	case !known:
		return nil, unsupportedCharset(charset)
	}
	raw, err := readRaw(r, encoding, o)
	if err != nil {
		return nil, err
	}
	if charset != "utf-8" && len(raw) > maxFirstBuffer && !o.Grow(2*len(raw)) { // what comes of it may be twice as long
		return nil, ErrNoRoom
	}
	return parse(decode(raw), o)
}

func (o Options) withDefaults() Options {
	o.Limit = min(max(o.Limit, 0), math.MaxInt64-1)
	if o.Grow == nil {
		o.Grow = func(int) bool { return true }
	}
	return o
}

// isEmpty says whether it is known before a read that r has no body.
func isEmpty(r *http.Request) bool { return r.Body == nil || r.ContentLength == 0 }

// IsJSON says whether the media type of r is the one that Read reads.
func IsJSON(r *http.Request) bool {
	_, ok := jsonCharset(r.Header.Get("Content-Type"), false)
	return ok
}

// readRaw returns the decompressed bytes of the body.
func readRaw(r *http.Request, encoding string, o Options) ([]byte, error) {
	length := int64(-1)
	if encoding == identity {
		length = r.ContentLength
	} else if !o.Grow(inflaterSize) {
		return nil, ErrNoRoom
	}
	src := &source{r: r.Body, left: rawLimit(encoding, o.Limit)}
	limits := limits{now: o.Limit}
	if o.Extends != nil {
		src.left += readAhead
		limits.extend = func(beginning []byte) int64 {
			if !o.Extends(beginning) || r.ContentLength > rawLimit(encoding, o.Extended) {
				return o.Limit
			}
			src.left += max(rawLimit(encoding, o.Extended)-rawLimit(encoding, o.Limit), 0)
			return o.Extended
		}
	}
	plain, err := inflate(encoding, src)
	if err != nil {
		return nil, readError(src, err)
	}
	raw, err := readAll(plain, length, limits, o.Grow)
	if errors.Is(err, ErrNoRoom) {
		return nil, err
	}
	if err != nil {
		return nil, readError(src, err)
	}
	if length >= 0 && int64(len(raw)) != length {
		return nil, badRequest("request size did not match content length", nil)
	}
	return raw, nil
}

// parse checks text, which must be valid UTF-8, and returns it without a byte order mark and space.
func parse(text []byte, o Options) (json.RawMessage, error) {
	text = bytes.TrimPrefix(text, bom)
	if len(text) == 0 {
		return nothing(), nil
	}
	if o.Strict {
		if err := checkStrict(text); err != nil {
			return nil, err
		}
	}
	if err := checkJSON(text, cmp.Or(o.Depth, DefaultDepth)); err != nil {
		return nil, err
	}
	return bytes.Trim(text, whiteSpace), nil
}

// nothing is the value of a body that is not there. Each caller owns its copy.
func nothing() json.RawMessage { return json.RawMessage("{}") }
