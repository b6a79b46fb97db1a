package api

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"slices"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/httpd/forwarded"
	"github.com/backstage/functions/internal/httpd/latin1"
	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// requestOf is the request as the function sees it that was found, or as one does that asks for nothing.
func (s *server) requestOf(r *http.Request, found invoke.Found, to target) (sandbox.Request, error) {
	request := sandbox.Request{Method: r.Method}
	if err := s.readBody(&request, r, found.Body()); err != nil {
		return sandbox.Request{}, err
	}
	request.Header, request.Query = headerJSON(r, s.HeaderNames(r)), queryJSON(r.URL.RawQuery)
	if to.routed || found.LearnsPath() {
		request.HTTP = s.httpJSON(r, to, found.Body())
	}
	if to.pipeline || found.LearnsCaller() {
		request.Auth = authJSON(r) // each step gets it that asks for it
	}
	return request, nil
}

// readBody reads the body in the form that the function wants.
func (s *server) readBody(request *sandbox.Request, r *http.Request, form string) (err error) {
	options := s.bodyOptions(r, true)
	switch form {
	case function.BodyRaw:
		request.Raw, err = body.ReadBytes(r, options)
	case function.BodyAuto:
		request.Body, request.Raw, err = body.ReadAny(r, options)
	default:
		request.Body, err = body.Read(r, options)
	}
	request.HasRaw = request.Raw != nil
	if sent := base64.StdEncoding.EncodedLen(len(request.Raw)); err == nil && sent > smallBody && !s.Grow(r, sent) {
		return body.ErrNoRoom // for the frame in which a worker gets it
	}
	return err
}

func queryJSON(query string) json.RawMessage {
	if query == "" {
		return json.RawMessage("{}")
	}
	return qs.Parse(query).AppendJSON(nil)
}

// httpJSON is what a function that asks for it learns of the HTTP request beside its headers; docs/protocol.md has the
// members. form is what it asks for of bodies.
func (s *server) httpJSON(r *http.Request, to target, form string) json.RawMessage {
	host, port := cutPort(latin1.Decode(forwarded.Host(r, s.TrustedProxies)))
	o := rawjson.NewObject(make([]byte, 0, 256))
	o.String("path", to.path)
	o.String("url", targetOf(r))
	o.String("ip", forwarded.Addr(r, s.TrustedProxies))
	o.String("host", host)
	if port != "" {
		o.String("port", port)
	}
	o.String("scheme", forwarded.Scheme(r, s.TrustedProxies))
	if to.params != nil {
		params := rawjson.NewObject(nil)
		for _, name := range slices.Sorted(maps.Keys(to.params)) {
			params.String(name, to.params[name])
		}
		o.Raw("params", params.End())
	}
	if form == function.BodyAuto {
		o.String("body", form)
	}
	return o.End()
}

// cutPort is the name or address in the text of a Host header, and the port, which may be missing. An IPv6 address
// keeps its brackets, as in a URL.
func cutPort(host string) (name, port string) {
	name, port, err := net.SplitHostPort(host)
	switch {
	case err != nil:
		return host, ""
	case host[0] == '[':
		return "[" + name + "]", port
	}
	return name, port
}
