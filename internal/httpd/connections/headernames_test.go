package connections

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// gathered reads text in pieces of a size.
func gathered(text string, size int) string {
	var names headerNames
	for piece := range slices.Chunk([]byte(text), size) {
		names.read(piece)
	}
	return string(names.text)
}

func TestNamesOfHeadersAreGatheredInOrder(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"order", "GET / HTTP/1.1\r\nHost: h\r\nzeta: 1\r\nAlpha:2\r\n\r\n", "Host zeta Alpha"},
		{"bare line feeds", "GET / HTTP/1.1\nB: 1\nA: 2\n\nC: 3\n", "B A"},
		{"a body", "PUT / HTTP/1.1\r\nB: 1\r\n\r\nA: 2\r\n", "B"},
		{"a line that goes on", "GET / HTTP/1.1\r\nB: 1\r\n  C: 2\r\n\tD: 3\r\nA: 4\r\n\r\n", "B A"},
		{"a line without a colon", "GET / HTTP/1.1\r\nB: 1\r\nnone\r\nA: 4\r\n\r\n", "B A"},
		{"colons in a value", "GET /:a:b HTTP/1.1\r\nB: 1:2\r\nA: :\r\n\r\n", "B A"},
		{"nothing", "", ""},
	} {
		for size := 1; size <= max(1, len(test.text)); size++ {
			if got := strings.Join(strings.Fields(gathered(test.text, size)), " "); got != test.want {
				t.Errorf("%s in pieces of %d: %q, want %q", test.name, size, got, test.want)
			}
		}
	}
}

func TestNamesOfHeadersAreBounded(t *testing.T) {
	for name, text := range map[string]string{
		"one":  "GET / HTTP/1.1\r\nA: 1\r\n" + strings.Repeat("x", 10*maxNames) + ": 1\r\nB: 2\r\n\r\n",
		"many": "GET / HTTP/1.1\r\nA: 1\r\n" + strings.Repeat("name: 1\r\n", maxNames) + "\r\n",
	} {
		if got := gathered(text, 4096); len(got) > maxNames || !strings.HasPrefix(got, "A\n") {
			t.Errorf("%s: %d bytes", name, len(got))
		}
	}
}

func FuzzHeaderNames(f *testing.F) {
	f.Add("GET / HTTP/1.1\r\nHost: h\r\nA:\r\n\r\nbody", 3)
	f.Fuzz(func(t *testing.T, text string, size int) {
		whole := gathered(text, max(1, len(text)))
		if got := gathered(text, min(max(size, 1), 1<<16)); got != whole && len(whole)+len(text) < maxNames {
			t.Errorf("in pieces %q, in one %q", got, whole)
		}
	})
}

// Each request of a connection has its own names, whatever its body looks like.
func TestEachRequestHasItsNames(t *testing.T) {
	overHTTP1(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Most: 2})
		c := s.dial(t, 1, "")
		for _, test := range []struct{ text, want string }{
			{"GET /names HTTP/1.1\r\nB: 1\r\nHost: h\r\nA: 2\r\n\r\n", "B Host A"},
			{"PUT /names HTTP/1.1\r\nContent-Length: 6\r\nHost: h\r\n\r\nX: 1\r\n", "Content-Length Host"},
			{"PUT /names HTTP/1.1\r\nTransfer-Encoding: chunked\r\nZ: 1\r\nHost: h\r\n\r\n6\r\nY: 1\r\n\r\n0\r\n\r\n", "Transfer-Encoding Z Host"},
			{"GET /names HTTP/1.1\r\nHost: h\r\n\r\n", "Host"},
		} {
			c.send(t, test.text)
			answer, err := http.ReadResponse(c.answers, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(answer.Body)
			if err != nil || string(got) != test.want {
				t.Errorf("%q: %v, %q, want %q", test.text, err, got, test.want)
			}
			_ = answer.Body.Close() // read to its end
		}
		if names := HeaderNames(&http.Request{}); names != "" {
			t.Errorf("a request of no port has %q", names)
		}
	})
}
