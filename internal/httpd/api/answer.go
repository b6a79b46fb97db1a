package api

import (
	"crypto/md5" //nolint:gosec // the contract's entity tag; a change detector, not a signature
	"encoding/base64"
	"net/http"
	"strconv"

	"github.com/backstage/functions/internal/httpd/answer"
)

// headerETag is written as everyone writes it, which net/http's canonical form is not. HTTP itself does not care.
var headerETag = "ETag"

const (
	headerType        = "Content-Type"
	headerLength      = "Content-Length"
	headerRequestID   = "X-Request-Id"
	contentTypeJSON   = "application/json; charset=utf-8"
	contentTypeHTML   = "text/html; charset=utf-8"
	contentTypeNoBody = "application/json"
	contentTypeBytes  = "application/octet-stream"
)

// sendJSON answers with a JSON text.
func sendJSON(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	answer.Set(w, headerType, contentTypeJSON)
	send(w, r, status, body)
}

// send writes the answer whose other headers are set already. It adds an entity tag unless there is one or no body, and
// answers 304 when the caller holds this very answer. A nil body has no tag, an empty one has.
func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	h := w.Header()
	setTag(w, status, body)
	if isFresh(r, status, h) {
		status = http.StatusNotModified
	}
	if !hasBody(status) {
		sendEmpty(w, status)
		return
	}
	answer.Set(w, headerLength, strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // an error means that the caller is gone: nobody is left to tell
	}
}

// setTag adds an entity tag unless there is one or no body.
func setTag(w http.ResponseWriter, status int, body []byte) {
	if body != nil && hasBody(status) && entityTag(w.Header()) == "" {
		answer.Set(w, headerETag, weakTag(body))
	}
}

// sendEmpty answers with a status that has no body.
func sendEmpty(w http.ResponseWriter, status int) {
	w.Header().Del(headerType)
	w.Header().Del(headerLength)
	w.WriteHeader(status)
}

// sendSchema answers with a document that the named schema describes. By contract it has no weak entity tag, is never
// 304, and tells no length to HEAD.
func sendSchema(w http.ResponseWriter, r *http.Request, schema string, body []byte) {
	sendSchemaAs(w, r, http.StatusOK, schema, body)
}

// sendSchemaAs is sendSchema with another status than 200.
func sendSchemaAs(w http.ResponseWriter, r *http.Request, status int, schema string, body []byte) {
	h := w.Header()
	h.Set(headerType, contentTypeJSON+"; profile="+origin(r)+"/_schemas/"+schema)
	if r.Method == http.MethodHead {
		w.WriteHeader(status)
		return
	}
	h.Set(headerLength, strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // see send
}

func hasBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

func entityTag(h http.Header) string {
	if tags := h[headerETag]; len(tags) > 0 {
		return tags[0]
	}
	return ""
}

// weakTag is the length of body in hex and its MD5 in base64 without padding, as the npm module etag 1.7 makes it.
func weakTag(body []byte) string {
	sum := md5.Sum(body) //nolint:gosec // see above
	return weakTagOf(len(body), sum[:])
}

// weakTagOf is weakTag of a body of that length and MD5.
func weakTagOf(length int, sum []byte) string {
	tag := append(make([]byte, 0, 48), `W/"`...)
	tag = strconv.AppendInt(tag, int64(length), 16)
	tag = append(tag, '-')
	tag = base64.RawStdEncoding.AppendEncode(tag, sum)
	return string(append(tag, '"'))
}
