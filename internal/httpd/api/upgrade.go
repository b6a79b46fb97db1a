package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/forwarded"
	"github.com/backstage/functions/internal/httpd/sockets"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// maxSocketURL is the longest URL of a request that opens a socket, in bytes: it is kept as long as that is.
const maxSocketURL = 4 << 10

// upgrade makes the connection of r a socket, if the function that is called for that agrees. Else what it answers is
// the answer.
func (s *server) upgrade(w http.ResponseWriter, r *http.Request, to target, found invoke.Found) error {
	switch host := forwarded.Host(r, s.TrustedProxies); {
	case s.Sockets == nil:
		return sockets.ErrOff
	case len(r.RequestURI) > maxSocketURL:
		return outcome.New(outcome.Outcome{
			Status: http.StatusRequestURITooLong, Fault: outcome.FaultCaller,
			Message: "The URL of a WebSocket connection must not be longer than " + strconv.Itoa(maxSocketURL) + " bytes",
		})
	default:
		if err := sockets.CheckHandshake(w.Header(), r, host, found.WebSocket()); err != nil {
			return err
		}
	}
	socket, err := s.Sockets.Admit(found.Function, s.Client(r))
	if err != nil {
		return err
	}
	defer socket.Leave()
	kept := s.openingOf(r, to)
	request := kept.request(sockets.Event{Kind: sockets.EventOpen, ID: socket.ID})
	request.Header = headerJSON(r, s.HeaderNames(r))
	start := time.Now()
	call := s.callOf(r, found, to.ref, request)
	call.Standing = standingIn(w)
	result, err := s.Invoker.Run(r.Context(), call)
	setTiming(w, result, err, found.Took+time.Since(start))
	if err != nil {
		return fmt.Errorf("run %s: %w", to.ref, err)
	}
	if result.Status >= http.StatusMultipleChoices {
		return sendAnswer(w, r, result)
	}
	return s.open(w, r, to, socket, kept, result)
}

// open answers with 101, and with the headers that the function has set.
func (s *server) open(
	w http.ResponseWriter, r *http.Request, to target, socket *sockets.Socket, kept *opening, result *sandbox.Result,
) error {
	if err := checkHead(result.Status, result.Header); err != nil {
		return err
	}
	h := w.Header()
	setHeaders(h, result.Header)
	for _, name := range []string{
		headerType, headerETag, "Sec-Websocket-Accept", "Sec-Websocket-Protocol", "Sec-Websocket-Extensions",
	} {
		delete(h, name)
	}
	o := sockets.Opening{
		Request: kept.request, URI: r.RequestURI, Address: kept.ip, Key: limitedKey(r), Nesting: s.NestingOf(r.RemoteAddr),
	}
	caller := accessOf(r)
	if s.Auth == AuthOn {
		o.Access = caller.openedBy(to.ref.Namespace)
	}
	o.Watch = func(revoke func()) (stop func()) { return s.watchKey(caller, revoke) }
	o.WatchNamespace = func(disabled func()) (stop func()) {
		return s.Disabled.Watch([]string{to.ref.Namespace}, disabled)
	}
	if s.SocketLog != nil {
		about, id := aboutSocket(r), RequestID(r.Context())
		o.Ended = func(end sockets.End) { s.SocketLog(about, SocketEnd{end, socket.ID, id, caller.key.ID}) }
	}
	if err := socket.Open(w, r, o, sockets.MessageOf(result)); err != nil {
		return fmt.Errorf("open a WebSocket connection: %w", err)
	}
	return nil
}

// SocketEnd is what SocketLog is told of the end of a WebSocket connection.
type SocketEnd struct {
	sockets.End

	// ID is that of the connection, RequestID that of the request that has opened it, and KeyID names the key of the
	// caller; empty without one.
	ID, RequestID, KeyID string
}

// socketHeaders are those that are kept of a request that opens a socket: access logs tell them, or the caller's
// address by them.
var socketHeaders = []string{"User-Agent", "Referer", "X-Forwarded-For"}

// aboutSocket is what is kept of r for the access log.
func aboutSocket(r *http.Request) *http.Request {
	about := &http.Request{
		Method: "WEBSOCKET", RequestURI: r.RequestURI, RemoteAddr: r.RemoteAddr, Host: r.Host,
		Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor, Header: http.Header{},
	}
	for _, name := range socketHeaders {
		if values := r.Header[name]; len(values) > 0 {
			about.Header[name] = values
		}
	}
	return about
}

// opening is what is kept of a request that opens a socket, for the calls for its events.
type opening struct {
	ip    string
	query json.RawMessage
	http  json.RawMessage
	auth  json.RawMessage
}

func (s *server) openingOf(r *http.Request, to target) *opening {
	return &opening{
		ip:    forwarded.Addr(r, s.TrustedProxies),
		query: queryJSON(r.URL.RawQuery),
		http:  s.httpJSON(r, to, function.BodyRaw),
		auth:  authJSON(r),
	}
}

// request is that of the call for e: see docs/protocol.md.
func (o *opening) request(e sockets.Event) sandbox.Request {
	about := rawjson.ExtendObject(append(make([]byte, 0, len(o.http)+128), o.http...))
	about.String("event", e.Kind)
	about.String("connection", e.ID)
	request := sandbox.Request{Method: "GET", Query: o.query, Body: json.RawMessage("{}"), Auth: o.auth}
	switch e.Kind {
	case sockets.EventMessage:
		request.Method, request.Body = "POST", nil
		request.Raw, request.HasRaw = e.Data, true
		contentType := "text/plain; charset=utf-8"
		if e.Binary {
			contentType = contentTypeBytes
			about.Raw("binary", []byte("true"))
		}
		request.Header = headersOf(contentType, len(e.Data))
	case sockets.EventClose:
		end := rawjson.NewObject(nil)
		end.Int("code", int64(e.Code))
		end.String("reason", e.Reason)
		request.Method, request.Body = "POST", end.End()
		request.Header = headersOf(contentTypeNoBody, len(request.Body))
	}
	request.HTTP = about.End()
	return request
}

// headersOf are the headers of a request with a body.
func headersOf(contentType string, length int) json.RawMessage {
	o := rawjson.NewObject(nil)
	o.String("content-type", contentType)
	o.String("content-length", strconv.Itoa(length))
	return o.End()
}

// wantsSocket says whether r asks for a socket of a function that has them.
func wantsSocket(r *http.Request, found invoke.Found) bool {
	return found.WebSocket() != nil && sockets.IsHandshake(r)
}
