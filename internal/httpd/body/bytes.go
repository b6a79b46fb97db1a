package body

import (
	"encoding/json"
	"net/http"
)

// ReadBytes returns the body of r as it was sent, compressed or not, of any media type; it is empty when there is none.
// Limit counts these bytes, and Extends is not
// asked. Its errors are those of Read.
func ReadBytes(r *http.Request, o Options) ([]byte, error) {
	o = o.withDefaults()
	switch {
	case isEmpty(r):
		return []byte{}, nil
	case r.ContentLength > o.Limit:
		return nil, tooLarge(nil)
	}
	o.Extends = nil
	return readRaw(r, identity, o)
}

// ReadAny returns the body of r as JSON text if its media type is application/json or ends in +json, or if it has
// neither a type nor a body; read as by Read. Else it returns the bytes of the body, decompressed, which are not nil.
func ReadAny(r *http.Request, o Options) (text json.RawMessage, bytes []byte, err error) {
	o = o.withDefaults()
	contentType := r.Header.Get("Content-Type")
	if contentType == "" && isEmpty(r) {
		return nothing(), nil, nil
	}
	charset, isJSON := jsonCharset(contentType, true)
	encoding := contentEncoding(r.Header)
	switch {
	case isJSON && isEmpty(r):
		return nothing(), nil, nil
	case isJSON:
		text, err = readJSON(r, charset, o)
		return text, nil, err
	case isEmpty(r):
		return nil, []byte{}, nil
	case !knownEncoding(encoding):
		return nil, nil, unsupportedEncoding(encoding)
	case r.ContentLength > rawLimit(encoding, o.Limit):
		return nil, nil, tooLarge(nil)
	}
	bytes, err = readRaw(r, encoding, o)
	return nil, bytes, err
}
