package sockets

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

// IsHandshake says whether r asks for a WebSocket connection.
func IsHandshake(r *http.Request) bool {
	if r.ProtoMajor > 1 { // no Upgrade there, and this header has no other use
		return r.Header.Get("Sec-WebSocket-Version") != ""
	}
	return httpguts.HeaderValuesContainsToken(r.Header["Upgrade"], "websocket")
}

// CheckHandshake finds what keeps a request that IsHandshake from becoming a socket of a function with these settings.
// Host is the one that the caller asked for. Header is that of the answer.
func CheckHandshake(header http.Header, r *http.Request, host string, o *function.WebSocket) error {
	switch {
	case r.ProtoMajor > 1:
		return refused(http.StatusNotImplemented, "WebSocket is spoken over HTTP/1.1 only: connect again without h2 in ALPN")
	case r.Method != http.MethodGet:
		return refused(http.StatusMethodNotAllowed, "A WebSocket connection is opened with GET")
	case !r.ProtoAtLeast(1, 1) || !httpguts.HeaderValuesContainsToken(r.Header["Connection"], "upgrade"):
		header.Set("Upgrade", "websocket")
		header.Set("Connection", "Upgrade")
		return refused(http.StatusUpgradeRequired, "A WebSocket connection needs HTTP/1.1 and Connection: Upgrade")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		header.Set("Sec-WebSocket-Version", "13")
		return refused(http.StatusUpgradeRequired, "Sec-WebSocket-Version must be 13")
	case !isKey(r.Header["Sec-Websocket-Key"]):
		return outcome.BadRequest("Sec-WebSocket-Key must be 16 bytes in base64, once")
	case r.ContentLength != 0:
		return outcome.BadRequest("A WebSocket connection is opened without a body")
	}
	if origin := r.Header.Get("Origin"); origin != "" && !isOf(origin, host) && !o.Allows(origin) {
		return refused(http.StatusForbidden, "Pages of this origin may not connect: it is not among the origins of the "+
			"function's option websocket")
	}
	return nil
}

func refused(status int, message string) error {
	return outcome.New(outcome.Outcome{Status: status, Message: message, Fault: outcome.FaultCaller})
}

func isKey(values []string) bool {
	if len(values) != 1 {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(values[0]))
	return err == nil && len(key) == 16
}

// isOf says whether a page of origin was loaded from host. The scheme is not compared: what a proxy in front speaks is
// not known here.
func isOf(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
