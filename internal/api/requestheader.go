package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/backstage/functions/internal/function"
)

// headerOmit lists the names of headers that the function is not to see.
const headerOmit = "Functions-Omit-Headers"

// headerJSON is the request's headers as an object of lower-case names and strings, sorted by name. Values of the same
// header are joined as Node.js joins them. Host and Transfer-Encoding, which net/http keeps elsewhere, are among them.
func headerJSON(r *http.Request) json.RawMessage {
	names := make([]string, 0, len(r.Header)+2)
	for name := range r.Header {
		names = append(names, name)
	}
	if r.Host != "" {
		names = append(names, "Host")
	}
	if len(r.TransferEncoding) > 0 {
		names = append(names, "Transfer-Encoding")
	}
	slices.Sort(names)
	omit := r.Header[headerOmit]
	out := append(make([]byte, 0, 512), '{')
	for _, name := range names {
		if len(omit) > 0 && isListed(omit, name) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = appendName(out, name)
		out = appendText(append(out, ':'), join(name, valuesOf(r, name)))
	}
	return append(out, '}')
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

// isListed says whether one of the comma-separated lists holds name.
func isListed(lists []string, name string) bool {
	for _, list := range lists {
		for item := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(item), name) {
				return true
			}
		}
	}
	return false
}

// join follows http.IncomingMessage.headers of Node.js 8: of some headers the first value counts, cookies become one
// list of cookies, all others one list with commas.
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

// appendText appends value as a JSON string. A value that is not UTF-8 is taken for Latin-1, which is what HTTP headers
// once were.
func appendText(dst []byte, value string) []byte {
	if utf8.ValidString(value) {
		return function.AppendJSONString(dst, value)
	}
	text := make([]byte, 0, 2*len(value))
	for i := range len(value) {
		text = utf8.AppendRune(text, rune(value[i]))
	}
	return function.AppendJSONString(dst, string(text))
}
