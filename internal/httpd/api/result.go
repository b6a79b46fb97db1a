package api

import (
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/backstage/functions/internal/httpd/answer"
	"github.com/backstage/functions/internal/httpd/latin1"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
)

// sendAnswer is sendResult for what a call has answered: nobody takes that for a refusal of the server.
func sendAnswer(w http.ResponseWriter, r *http.Request, result *sandbox.Result) error {
	if rec, ok := w.(*answer.Recorder); ok {
		rec.OfFunction = true
	}
	return sendResult(w, r, result)
}

// sendResult answers with what a function answered. Its error says why that cannot be sent; nothing is sent then.
func sendResult(w http.ResponseWriter, r *http.Request, result *sandbox.Result) error {
	if err := checkResult(result); err != nil {
		return err
	}
	h := w.Header()
	setHeaders(h, result.Header)
	if result.Bytes != nil {
		sendBytes(w, r, result.Status, result.Bytes)
		return nil
	}
	contentType, _ := contentTypeFor(h.Get(headerType), result.Body != nil) // checked already
	answer.Set(w, headerType, contentType)
	send(w, r, result.Status, result.Body)
	return nil
}

// unsendable is a fault of the function, in the words of Node.js and its modules.
func unsendable(message string) error {
	return outcome.New(outcome.Outcome{
		Status: http.StatusInternalServerError, Message: message, Fault: outcome.FaultFunction,
	})
}

// setTypeOfBytes says what bytes are of which the function does not say it.
func setTypeOfBytes(h http.Header) {
	if h.Get(headerType) == "" {
		h.Set(headerType, contentTypeBytes)
	}
}

// checkResult finds what would break the answer, whatever a worker has sent.
func checkResult(result *sandbox.Result) error {
	if err := checkHead(result.Status, result.Header); err != nil || result.Bytes != nil {
		return err
	}
	for _, field := range result.Header {
		if strings.EqualFold(field.Name, headerType) {
			value, _ := latin1.Encode(field.Value) // as was found
			if _, err := contentTypeFor(value, result.Body != nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkHead is checkResult for what comes before a body.
func checkHead(status int, header []sandbox.HeaderField) error {
	if !outcome.IsStatus(status) {
		return unsendable("Invalid status code: " + strconv.Itoa(status))
	}
	for _, field := range header {
		value, ok := latin1.Encode(field.Value)
		if !ok || !httpguts.ValidHeaderFieldName(field.Name) || !httpguts.ValidHeaderFieldValue(value) {
			return unsendable("The header content contains invalid characters")
		}
	}
	return nil
}

// setHeaders adds the function's headers. Fields of the very same name that follow each other are the values of one
// list; any other field replaces what was set under its name, as setting it again does in Node.js. Server-Timing joins
// the server's own. Values go out as Latin-1, which checkResult has found that they are.
func setHeaders(h http.Header, fields []sandbox.HeaderField) {
	for i, field := range fields {
		name := http.CanonicalHeaderKey(field.Name)
		if isConnectionHeader(name) {
			continue
		}
		if name == "Etag" {
			name = headerETag
		}
		value, _ := latin1.Encode(field.Value)
		if i > 0 && fields[i-1].Name == field.Name && name != headerType || name == headerTiming {
			h[name] = append(h[name], value)
		} else {
			h[name] = []string{value}
		}
	}
}

// isConnectionHeader names what belongs to the connection or to the framing of the body (RFC 9110, section 7.6.1),
// where a function has no say.
func isConnectionHeader(name string) bool {
	switch name {
	case "Connection", "Content-Length", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return strings.HasPrefix(name, "Proxy-")
}
