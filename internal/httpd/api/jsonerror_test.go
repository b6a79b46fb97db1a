package api

import (
	"io"
	"net"
	"strings"
	"testing"
)

// raw sends text over a new connection and returns all that comes back.
func raw(t *testing.T, url, text string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestRefusalsOfTheHTTPServerAreJSON(t *testing.T) {
	url := serve(t, Options{})
	for _, test := range []struct{ name, request, line, body string }{
		{"broken escape", "GET /functions/a%zz/b HTTP/1.1\r\nHost: h\r\n\r\n", "400 Bad Request", `{"error":"Bad Request"}`},
		{"no HTTP", "nonsense\r\n\r\n", "400 Bad Request", `{"error":"Bad Request"}`},
		{"no host", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header", `{"error":"missing required Host header"}`},
		{"broken header", "GET / HTTP/1.1\r\nHost: h\r\na b: c\r\n\r\n", "400 Bad Request: invalid header name", `{"error":"invalid header name"}`},
		{
			"unknown transfer coding", "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x\r\n\r\n",
			"501 Not Implemented", `{"error":"Unsupported transfer encoding"}`,
		},
		{
			"large headers", "GET / HTTP/1.1\r\nHost: h\r\nX-A: " + strings.Repeat("x", 2<<20),
			"431 Request Header Fields Too Large", `{"error":"Request Header Fields Too Large"}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			head, body, _ := strings.Cut(refusal(t, url, test.request), "\r\n\r\n")
			if !strings.HasPrefix(head, "HTTP/1.1 "+test.line+"\r\nContent-Type: application/json; charset=utf-8\r\n") || body != test.body {
				t.Errorf("answered\n%s\n\n%s", head, body)
			}
		})
	}
}

// refusal is like raw but takes it that the server hangs up before it has read everything.
func refusal(t *testing.T, url, text string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, text)
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

func TestOnlyAnswersOfTheHTTPServerBecomeJSON(t *testing.T) {
	for _, text := range []string{
		"",
		"HTTP/1.1 400 Bad Request",
		"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nDate: x\r\nConnection: close\r\n\r\nbody",
		"data that is no head\r\n",
	} {
		if answer, ok := JSONError([]byte(text)); ok {
			t.Errorf("%q became %q", text, answer)
		}
	}
}

func TestNamesKeepTheirEscapesBesideRawBytes(t *testing.T) {
	url := serve(t, Options{})
	answer := raw(t, url, "PUT /functions/a%2Fb{\xc3\xa9}/c/run HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if !strings.HasSuffix(answer, `{"error":"Code 'a/b{é}/c' is not found"}`) {
		t.Errorf("answered %q", answer)
	}
}

func TestWithoutAHostLinksAreRelative(t *testing.T) {
	answer := raw(t, serve(t, Options{}), "GET /_schemas/root HTTP/1.0\r\n\r\n")
	if !strings.Contains(answer, `"href":"/functions"`) {
		t.Errorf("answered %q", answer)
	}
}
