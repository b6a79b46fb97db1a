package api

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// origin is the "scheme://host" under which the caller reached the server, told by the proxies before it if there are
// any. It is empty when the caller named no host: links are relative then.
func origin(r *http.Request) string {
	host := firstValue(r, "X-Forwarded-Host")
	if !isHost(host) {
		host = r.Host
	}
	if !isHost(host) {
		return ""
	}
	scheme := firstValue(r, "X-Forwarded-Proto")
	if !isScheme(scheme) {
		scheme = "http"
		if r.TLS != nil {
			scheme = "https"
		}
	}
	return scheme + "://" + host
}

// firstValue is the first of the comma-separated values of a header: that of the proxy next to the caller.
func firstValue(r *http.Request, header string) string {
	first, _, _ := strings.Cut(r.Header.Get(header), ",")
	return strings.Trim(first, " \t")
}

// isHost keeps a forged header from breaking out of the URL that it becomes part of, and out of the header that this
// is written into.
func isHost(text string) bool {
	return text != "" && httpguts.ValidHostHeader(text) && !strings.ContainsAny(text, "',;")
}

// isScheme follows RFC 3986, section 3.1.
func isScheme(text string) bool {
	for i, c := range text {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", c)) {
			return false
		}
	}
	return text != ""
}
