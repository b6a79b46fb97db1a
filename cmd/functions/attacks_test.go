package main

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// canary is what no attack may be answered.
const canary = "canary-of-the-victim"

// besieged is a server with keys, a victim that nobody else may reach, and keys of others.
type besieged struct {
	*server
	admin, own, other, pattern, revoked, expired string
}

func newBesieged(t *testing.T) *besieged {
	t.Helper()
	s, admin := adminOf(t, "HTTP2=true", "WEBSOCKET_CONNECTIONS=10", "EGRESS_ALLOW=127.0.0.1", "CODE_SYNC_TIMEOUT=1m")
	a := &besieged{server: s, admin: admin}
	deploy := func(namespaces, more string) string {
		_, key := newKey(t, admin, s.url, `{"role":"deploy","namespaces":[`+namespaces+`]`+more+`}`)
		return key
	}
	a.own, a.other, a.pattern = deploy(`"victim"`, ""), deploy(`"other","é","victi","a/b"`, ""), deploy(`"team*"`, "")
	a.expired = deploy(`"*"`, `,"expires":"`+time.Now().Add(2*time.Second).UTC().Format(time.RFC3339Nano)+`"`)
	var id string
	id, a.revoked = newKey(t, admin, s.url, `{"role":"deploy","namespaces":["*"]}`)
	a.must(t, admin, "DELETE", "/keys/"+id, "")
	a.must(t, admin, "PUT", "/functions/victim/f", deployment(`function main(req, res) { res.send('`+canary+`') }`, ""))
	a.must(t, admin, "PUT", "/functions/other/open", deployment(
		`function main(req, res) { res.send({ headers: req.headers }) }`, `"access":"public"`))
	a.must(t, admin, "PUT", "/functions/other/back", deployment(`function main(req, res) {
		require('request').get({ url: req.body.url, headers: req.headers }, (error, r, body) => res.send(error ? error.code : r.statusCode + body))
	}`, `"access":"public"`))
	a.must(t, admin, "PUT", "/routes/r", `{"path":"/shop/*","function":"victim/f"}`)
	eventually(t, "the key has expired", func() bool {
		status, _ := as(t, a.expired, "GET", s.url+"/functions", "")
		return status == http.StatusUnauthorized
	})
	return a
}

func (a *besieged) must(t *testing.T, key, method, path, body string) {
	t.Helper()
	if status, answer := as(t, key, method, a.url+path, body); status >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
}

// forge is a key with the ID of another one, and a checksum that is right.
func forge(key string) string {
	text := key[:len("fn_")+17] + strings.Repeat("A", 26)
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text)))
	return text + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum)
}

// raw sends the bytes of a request, and returns all that is answered until the server closes the connection.
func (a *besieged) raw(t *testing.T, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(conn) // a reset ends it, too
	return string(answer)
}

// isRefused says whether the first answer of an exchange is none of success.
func isRefused(answer string) bool { return strings.HasPrefix(answer, "HTTP/1.1 4") || answer == "" }

// Who has no key for the victim does not get at it, however the request is written.
func TestAttacksOnIdentity(t *testing.T) {
	a := newBesieged(t)
	t.Run("credentials", a.credentials)
	t.Run("names", a.names)
	t.Run("smuggling", a.smuggling)
	t.Run("HTTP/2", a.http2)
	t.Run("from a function", a.fromAFunction)
	if status, answer := as(t, a.own, "PUT", a.url+"/functions/victim/f/run", "{}"); status != 200 || !strings.Contains(answer, canary) {
		t.Errorf("after all the victim answers %d %s", status, answer)
	}
	_, metrics := request(t, "GET", a.metrics+"/metrics", "")
	a.stop(t)
	a.logs.rest()
	for name, key := range map[string]string{
		"admin": a.admin, "own": a.own, "other": a.other, "pattern": a.pattern, "revoked": a.revoked, "expired": a.expired,
	} {
		if secret := key[len("fn_")+17:]; strings.Contains(a.logs.text(), secret) || strings.Contains(metrics, secret) {
			t.Errorf("a log or a metric has the key %s", name)
		}
	}
}

// credentials are keys that are not valid, and valid ones that are not shown as they should be.
func (a *besieged) credentials(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("x:" + a.own))
	bearer := "Authorization: Bearer "
	for name, row := range map[string]struct {
		headers string
		serves  bool
	}{
		"the valid key":        {bearer + a.own, true},
		"small letters":        {"authorization: bearer " + a.own, true},
		"spaces at the end":    {bearer + a.own + "  \t ", true}, // which belong to no header
		"none":                 {"X: y", false},
		"empty":                {"Authorization:", false},
		"no key":               {"Authorization: Bearer", false},
		"forged":               {bearer + forge(a.own), false},
		"truncated":            {bearer + a.own[:len(a.own)-1], false},
		"longer":               {bearer + a.own + "A", false},
		"in small letters":     {bearer + strings.ToLower(a.own), false},
		"revoked":              {bearer + a.revoked, false},
		"expired":              {bearer + a.expired, false},
		"of another namespace": {bearer + a.other, false},
		"of a pattern":         {bearer + a.pattern, false},
		"twice":                {bearer + a.own + "\r\n" + bearer + a.own, false},
		"behind another":       {bearer + a.other + "\r\n" + bearer + a.own, false},
		"before another":       {bearer + a.own + "\r\n" + bearer + a.other, false},
		"of two spellings":     {bearer + a.own + "\r\nauthorization: Bearer " + a.other, false},
		"joined by a comma":    {bearer + a.other + ", Bearer " + a.own, false},
		"joined without":       {bearer + a.other + "," + a.own, false},
		"a tab":                {"Authorization: Bearer\t" + a.own, false},
		"folded within":        {bearer + a.own[:30] + "\r\n " + a.own[30:], false},
		"Basic":                {"Authorization: Basic " + basic, false},
		"Basic with the key":   {"Authorization: Basic " + a.own, false},
		"a space before colon": {"Authorization : Bearer " + a.own, false},
		"NUL in the name":      {"Authorization\x00: Bearer " + a.own, false},
		"NUL in the key":       {bearer + a.own + "\x00", false},
		"an underscore":        {"Authorization_: Bearer " + a.own, false},
		"Proxy-Authorization":  {"Proxy-Authorization: Bearer " + a.own, false},
		"X-Authorization":      {"X-Authorization: Bearer " + a.own + "\r\nX-Api-Key: " + a.own, false},
		"a cookie":             {"Cookie: Authorization=Bearer " + a.own, false},
	} {
		answer := a.raw(t, "GET /functions/victim/f HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"+row.headers+"\r\n\r\n")
		if served := strings.HasPrefix(answer, "HTTP/1.1 200"); served != row.serves || !served && strings.Contains(answer, canary) {
			t.Errorf("%s: %.300s", name, answer)
		}
	}
}

// names are paths that are meant to be those of the victim, or to lead to it, with a key for other namespaces.
func (a *besieged) names(t *testing.T) {
	for _, target := range []string{
		"GET /functions/victim/f", "GET /FUNCTIONS/victim/f", "GET /functions/%76ictim/f", "GET /functions/victim%2Ff",
		"GET /functions/other/../victim/f", "GET /functions/other/%2e%2e/victim/f", "GET /functions/other%2F..%2Fvictim/f",
		"GET /functions/other%00/../victim/f", "GET /functions//victim/f", "GET //functions/victim/f", "GET /functions/victim//f",
		"GET /functions/victim;a=b/f", "GET /functions/victim%20/f", "GET /functions/victim./f", "GET /functions/Victim/f",
		"GET /functions/victim%00/f", "GET /functions/victi%6D/f/", "GET /functions/v%C4%B1ctim/f", "GET /functions/victim*/f",
		"GET /functions/e%CC%81/f", "GET /functions/a%2Fb%2F/f", "GET /functions/A%2fB/f", "GET /functions/%2Avictim/f",
		"GET http://localhost/functions/victim/f", "GET http://other@localhost/functions/victim/f",
		"PUT /functions/victim/f/run", "PUT /functions/victim/f/run/", "PUT /functions/victim/f/run?namespace=other",
		"PUT /functions/pipeline?steps[0]=other/open&steps[1]=victim/f", "PUT /functions/pipeline?steps[]=victim%2Ff",
		"PUT /functions/pipeline?steps[0]=other/open&steps[0]=victim/f", "PUT /functions/pipeline?steps%5B0%5D=victim/f",
		"PUT /functions/pipeline?steps[21]=victim/f", "PUT /functions/pipeline?steps=victim/f", "PUT /FUNCTIONS/PIPELINE?steps[]=victim/f",
		"GET /shop/x", "GET /shop/%2e%2e/x", "GET /shop", "GET /functions/victim/f/logs?follow=true", "GET /functions/victim/f/files/",
		"GET /functions?namespace=victim", "GET /functions?namespace=other&namespace=victim", "GET /functions?namespace[]=victim",
		"GET /functions", "GET /audit", "GET /keys", "GET /routes", "GET /namespaces/victim", "DELETE /functions/victim/f",
		"DELETE /functions/victim/f/env/A", "POST /namespaces/victim/connections", "GET /_debug/http_stats",
	} {
		for _, key := range []string{a.other, a.pattern} {
			answer := a.raw(t, target+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n"+
				"X-HTTP-Method-Override: GET\r\nX-Original-URL: /functions/victim/f\r\nX-Rewrite-URL: /functions/victim/f\r\n"+
				"X-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\nAuthorization: Bearer "+key+"\r\n\r\n")
			if !isRefused(answer) || strings.Contains(answer, canary) {
				t.Errorf("%s: %.300s", target, answer)
			}
		}
	}
	handshake := "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	if answer := a.raw(t, "GET /functions/victim/f/run HTTP/1.1\r\nHost: localhost\r\n"+handshake+"\r\n"); !isRefused(answer) {
		t.Errorf("a WebSocket connection: %.300s", answer)
	}
	if status, answer := as(t, a.pattern, "GET", a.url+"/functions/teamb2/f", ""); status != http.StatusNotFound {
		t.Errorf("a name that the pattern is for: %d %s", status, answer)
	}
	for _, url := range []string{"/functions/victim/f?access_token=", "/functions/victim/f?key=", "/functions/victim/f/"} {
		if status, answer := as(t, "", "GET", a.url+url+a.own, ""); status != http.StatusBadRequest || strings.Contains(answer, canary) {
			t.Errorf("a key in the URL %s: %d %s", url, status, answer)
		}
	}
}

// smuggling hides a request for the victim in one that is served, on a connection whose first request has shown a key.
func (a *besieged) smuggling(t *testing.T) {
	hidden := "GET /functions/victim/f HTTP/1.1\r\nHost: localhost\r\n\r\n"
	open := "POST /functions/other/open/run HTTP/1.1\r\nHost: localhost\r\n"
	owned := "GET /functions/victim/missing HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + a.own + "\r\n"
	for name, request := range map[string]string{
		"a length and chunks":      open + fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", len(hidden)+5, hidden),
		"two lengths":              open + fmt.Sprintf("Content-Length: 0\r\nContent-Length: %d\r\n\r\n%s", len(hidden), hidden),
		"a length with a sign":     open + "Content-Length: +0\r\n\r\n" + hidden,
		"an odd encoding":          open + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden,
		"two encodings":            open + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
		"a chunk with a bare LF":   open + "Transfer-Encoding: chunked\r\n\r\n0\n\r\n" + hidden,
		"behind one with a key":    owned + "\r\n" + hidden,
		"a bare CR before":         owned + "X: y\r" + hidden + "\r\n",
		"behind one that is ended": owned + "Connection: close\r\n\r\n" + hidden,
		"without a version":        "GET /functions/victim/f\r\n\r\n" + hidden,
	} {
		if answer := a.raw(t, request); strings.Contains(answer, canary) {
			t.Errorf("%s: %.600s", name, answer)
		}
	}
}

// http2 shows keys over HTTP/2 as they should not be.
func (a *besieged) http2(t *testing.T) {
	var only http.Protocols
	only.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &only}}
	for name, row := range map[string]struct {
		values []string
		status int
	}{
		"valid": {[]string{"Bearer " + a.own}, 200}, "twice": {[]string{"Bearer " + a.own, "Bearer " + a.own}, 401},
		"two": {[]string{"Bearer " + a.other, "Bearer " + a.own}, 401}, "forged": {[]string{"Bearer " + forge(a.own)}, 401},
		"of another": {[]string{"Bearer " + a.other}, 403}, "none": {nil, 401}, "empty": {[]string{"", "Bearer " + a.own}, 401},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", a.url+"/functions/victim/f", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Authorization"] = row.values
		response, err := client.Do(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		response.Body.Close()
		if response.StatusCode != row.status || response.ProtoMajor != 2 {
			t.Errorf("%s: %s %d, want %d", name, response.Proto, response.StatusCode, row.status)
		}
	}
}

// fromAFunction has functions call the server itself, with all that they know of their caller.
func (a *besieged) fromAFunction(t *testing.T) {
	if _, answer := as(t, a.admin, "PUT", a.url+"/functions/other/open/run", "{}"); strings.Contains(answer, "authorization") ||
		strings.Contains(answer, a.admin) {
		t.Errorf("the function sees %s", answer)
	}
	for _, path := range []string{"/functions/victim/f", "/functions/victim/f/run", "/keys", "/audit"} {
		status, answer := as(t, a.admin, "PUT", a.url+"/functions/other/back/run", `{"url":"`+a.url+path+`"}`)
		if status != 200 || !strings.HasPrefix(answer, `"401`) {
			t.Errorf("a function asks for %s: %d %s", path, status, answer)
		}
	}
}
