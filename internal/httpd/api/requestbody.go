package api

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/httpd/latin1"
	"github.com/backstage/functions/sandbox/rawjson"
)

// smallBody is how large a body may be for its parts to be copied without asking.
const smallBody = 4 << 10

// readStorable reads a body that describes what to store. One of another media type than JSON counts as {}, as it
// always did; ignored says so then, if what it holds was meant to be read. There is room for what will be copied out of
// it.
func (s *server) readStorable(
	r *http.Request,
	strict bool,
	meant func([]byte) bool,
) (text json.RawMessage, ignored string, err error) {
	options := s.bodyOptions(r, strict)
	return s.readLonger(r, options, options, meant)
}

// readLonger is readStorable of a body that may be as long as options say; others are for what is of another type.
func (s *server) readLonger(
	r *http.Request,
	options, others body.Options,
	meant func([]byte) bool,
) (text json.RawMessage, ignored string, err error) {
	text, err = body.Read(r, options)
	if err == nil && len(text) > smallBody && !s.Grow(r, 2*len(text)) {
		err = body.ErrNoRoom
	}
	if err != nil || body.IsJSON(r) || r.ContentLength == 0 {
		return text, "", err
	}
	as := &http.Request{Header: r.Header.Clone(), Body: r.Body, ContentLength: r.ContentLength}
	as.Header.Set(headerType, contentTypeNoBody)
	if held, err := body.Read(as, others); err == nil && meant(held) {
		ignored = whyIgnored(latin1.Decode(r.Header.Get(headerType)))
	}
	return text, ignored, nil
}

// bodyOptions are those for the body of r.
func (s *server) bodyOptions(r *http.Request, strict bool) body.Options {
	return body.Options{
		Limit:  s.BodyLimit,
		Depth:  s.BodyDepth,
		Strict: strict,
		Grow:   func(bytes int) bool { return s.Grow(r, bytes) },
	}
}

// whyIgnored tells the caller what to send instead.
func whyIgnored(contentType string) string {
	if contentType == "" {
		return "the body was ignored since the request has no Content-Type: send Content-Type: application/json"
	}
	return "the body was ignored since its Content-Type is " + contentType + ": send Content-Type: application/json"
}

// isDeployment says whether text is meant to be a function: an object with files, or whose code names main. Requests
// whose code does not are answered as the original answers them.
func isDeployment(text []byte) bool {
	if hasFiles(text) {
		return true
	}
	code, ok := properties(text).get("code")
	return ok && rawjson.IsString(code) && strings.Contains(rawjson.Unquote(code), "main")
}

// isSettings says whether text holds settings at all.
func isSettings(text []byte) bool { return len(properties(text).list) > 0 }
