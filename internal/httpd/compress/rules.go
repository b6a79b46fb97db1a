package compress

import (
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// mayDiffer says whether an answer with that status and these headers is one that some callers get compressed. A 304
// stands for such an answer.
func mayDiffer(status int, h http.Header) bool {
	switch {
	case status == http.StatusNotModified:
		return true
	case status < http.StatusOK, status == http.StatusNoContent, status == http.StatusPartialContent:
		return false
	case h.Get("Content-Encoding") != "", httpguts.HeaderValuesContainsToken(h["Cache-Control"], "no-transform"):
		return false
	}
	return isText(h.Get("Content-Type"))
}

// isText names the types that become shorter, but for events: they are to arrive at once.
func isText(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	switch media {
	case "text/event-stream":
		return false
	case "application/json", "application/javascript", "application/xml", "application/x-ndjson", "application/ndjson":
		return true
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml")
}

// accepted says whether the caller takes gzip (RFC 9110, section 12.5.3).
func accepted(h http.Header) bool {
	others := false // what "*" stands for
	for _, list := range h["Accept-Encoding"] {
		for item := range strings.SplitSeq(list, ",") {
			coding, parameter, _ := strings.Cut(item, ";")
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				return hasWeight(parameter)
			case "*":
				others = hasWeight(parameter)
			}
		}
	}
	return others
}

// hasWeight says whether the weight of a coding is above zero. One that cannot be read is not.
func hasWeight(parameter string) bool {
	name, value, found := strings.Cut(parameter, "=")
	if !found {
		return strings.TrimSpace(parameter) == ""
	}
	weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	return err == nil && weight > 0 && strings.EqualFold(strings.TrimSpace(name), "q")
}

// encode changes the headers of an answer that is compressed: its length is another one, parts of it cannot be asked
// for, and a tag stands for what it means, not for its bytes.
func encode(h http.Header) {
	h.Set("Content-Encoding", "gzip")
	h.Del("Content-Length")
	h.Del("Accept-Ranges")
	for name, values := range h {
		if strings.EqualFold(name, "ETag") && len(values) > 0 && strings.HasPrefix(values[0], `"`) {
			h[name] = []string{"W/" + values[0]}
		}
	}
}
