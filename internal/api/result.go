package api

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/backstage/functions/sandbox"

	"github.com/backstage/functions/internal/outcome"
)

// sendResult answers with what a function answered. Its error says why that cannot be sent; nothing is sent then.
func sendResult(w http.ResponseWriter, r *http.Request, result *sandbox.Result) error {
	if err := checkResult(result); err != nil {
		return err
	}
	h := w.Header()
	setHeaders(h, result.Header)
	contentType, _ := contentTypeFor(h.Get(headerType), result.Body != nil) // checked already
	h.Set(headerType, contentType)
	send(w, r, result.Status, result.Body)
	return nil
}

// unsendable is a fault of the function, in the words of Node.js and its modules.
func unsendable(message string) error {
	return outcome.New(outcome.Outcome{
		Status: http.StatusInternalServerError, Message: message, Fault: outcome.FaultFunction,
	})
}

// checkResult finds what would break the answer, whatever a worker may have let pass.
func checkResult(result *sandbox.Result) error {
	if !outcome.IsStatus(result.Status) {
		return unsendable("Invalid status code: " + strconv.Itoa(result.Status))
	}
	for _, field := range result.Header {
		if !httpguts.ValidHeaderFieldName(field.Name) || !httpguts.ValidHeaderFieldValue(field.Value) {
			return unsendable("The header content contains invalid characters")
		}
		if strings.EqualFold(field.Name, headerType) {
			if _, err := contentTypeFor(field.Value, result.Body != nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// setHeaders adds the function's headers. Fields of the very same name that follow each other are the values of one
// list; any other field replaces what was set under its name, as setting it again does in Node.js. Server-Timing joins
// the server's own.
func setHeaders(h http.Header, fields []sandbox.HeaderField) {
	for i, field := range fields {
		name := http.CanonicalHeaderKey(field.Name)
		if isConnectionHeader(name) {
			continue
		}
		if name == "Etag" {
			name = headerETag
		}
		if i > 0 && fields[i-1].Name == field.Name && name != headerType || name == headerTiming {
			h[name] = append(h[name], field.Value)
		} else {
			h[name] = []string{field.Value}
		}
	}
}

// isConnectionHeader names what belongs to the connection or to the framing of the body (RFC 9110, section 7.6.1), where
// a function has no say.
func isConnectionHeader(name string) bool {
	switch name {
	case "Connection", "Content-Length", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return strings.HasPrefix(name, "Proxy-")
}

// contentTypeFor is the type to send for the one that the function set, which may be none. Bodies are JSON in UTF-8, and
// a type of text says so. An empty answer keeps its type, except that express completes text/*.
func contentTypeFor(set string, hasBody bool) (string, error) {
	switch {
	case set == "" && hasBody:
		return contentTypeJSON, nil
	case set == "":
		return contentTypeNoBody, nil
	case !hasBody && (!strings.HasPrefix(set, "text/") || strings.Contains(set, "charset=")):
		return set, nil
	case !hasBody:
		return set + "; charset=utf-8", nil
	}
	media, params, err := mime.ParseMediaType(set)
	if err != nil || !strings.Contains(media, "/") {
		return "", unsendable("invalid media type")
	}
	if isBinary(media) {
		return set, nil
	}
	params["charset"] = "utf-8"
	return mime.FormatMediaType(media, params), nil
}

// isBinary names the types for which a charset makes no sense. All others are taken for text, as the original took
// every type.
func isBinary(media string) bool {
	kind, subtype, _ := strings.Cut(media, "/")
	switch kind {
	case "image", "audio", "video", "font", "model", "multipart":
		return true
	case "application":
		switch subtype {
		case "octet-stream", "pdf", "zip", "gzip", "x-tar", "wasm", "protobuf", "x-protobuf", "cbor", "msgpack":
			return true
		}
	}
	return false
}
