package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/backstage/functions/internal/httpd/latin1"
	"github.com/backstage/functions/sandbox/rawjson"
)

// headerOmit lists the names of headers that the function is not to see.
const headerOmit = "Functions-Omit-Headers"

// headerJSON is the request's headers as an object of lower-case names and strings, as http.IncomingMessage.headers of
// Node.js 8 has them: in the order of sent, names of which there may be too many or too few, those that are left sorted
// behind. Host and Transfer-Encoding, which net/http keeps elsewhere, are among them.
func headerJSON(r *http.Request, sent string) json.RawMessage {
	var room [24]string // for the names of most requests, on the stack
	omit := r.Header[headerOmit]
	out := append(make([]byte, 0, 512), '{')
	for _, name := range appendNames(room[:0], r, sent) {
		if len(omit) > 0 && httpguts.HeaderValuesContainsToken(omit, name) || name == prototype {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(appendName(out, name), ':')
		if name == "Set-Cookie" {
			out = appendTexts(out, r.Header[name])
		} else {
			out = appendText(out, join(name, valuesOf(r, name)))
		}
	}
	return append(out, '}')
}

// prototype is the name that an object of JavaScript does not have as a member of its own when it is assigned.
const prototype = "__proto__"

// maxOrdered is how many names keep the order in which they came.
const maxOrdered = 128

// appendNames appends the names of the headers of r to names, which is empty: in canonical form and each once.
func appendNames(names []string, r *http.Request, sent string) []string {
	for name := range strings.SplitSeq(sent, "\n") {
		if len(names) == maxOrdered {
			break
		}
		name = http.CanonicalHeaderKey(name)
		if hasHeader(r, name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	ordered := names
	for name := range r.Header {
		if !slices.Contains(ordered, name) {
			names = append(names, name)
		}
	}
	for _, name := range []string{"Host", "Transfer-Encoding"} {
		if hasHeader(r, name) && !slices.Contains(ordered, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names[len(ordered):])
	return names
}

func hasHeader(r *http.Request, name string) bool {
	values := valuesOf(r, name)
	return len(values) > 0 && (name != "Host" || r.Host != "")
}

func valuesOf(r *http.Request, name string) []string {
	switch name {
	case "Host":
		return []string{r.Host}
	case "Transfer-Encoding":
		return r.TransferEncoding
	default:
		return r.Header[name]
	}
}

// join makes one text of the values of a header: of some headers the first value counts, cookies become one list of
// cookies, all others one list with commas.
func join(name string, values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	switch name {
	case "Age", "Authorization", "Content-Length", "Content-Type", "Etag", "Expires", "From", "Host",
		"If-Modified-Since", "If-Unmodified-Since", "Last-Modified", "Location", "Max-Forwards",
		"Proxy-Authorization", "Referer", "Retry-After", "Server", "User-Agent":
		return values[0]
	case "Cookie":
		return strings.Join(values, "; ")
	default:
		return strings.Join(values, ", ")
	}
}

// appendName appends name in lower case as a JSON string. Names are tokens (RFC 9110, section 5.1), so nothing in them
// needs an escape.
func appendName(dst []byte, name string) []byte {
	dst = append(dst, '"')
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// appendText appends value, whose bytes are Latin-1, as a JSON string.
func appendText(dst []byte, value string) []byte {
	return rawjson.AppendString(dst, latin1.Decode(value))
}

// appendTexts appends a JSON array of values.
func appendTexts(dst []byte, values []string) []byte {
	dst = append(dst, '[')
	for i, value := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, value)
	}
	return append(dst, ']')
}
