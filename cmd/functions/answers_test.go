package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
)

// get calls a function; header holds names and values alternately. The caller closes the body.
func get(t *testing.T, url string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func bytesAreAnswered(t *testing.T, url, runtime string) {
	put(t, url, `function main(req, res) {
  if (req.query.text) return res.end('é')
  if (req.query.moved) return res.redirect('/')
  if (req.query.page) return res.type('html').end('<h1>é</h1>')
  res.set('Content-Type', 'image/png').end(Buffer.from([137, 80, 78, 71, 0, 255]))
}`, runtime+`,"body":"auto"`)
	for query, want := range map[string][2]string{
		"?page=1": {"text/html; charset=utf-8", "<h1>é</h1>"}, "?text=1": {"text/plain; charset=utf-8", "é"}, "": {"image/png", "\x89PNG\x00\xff"},
	} {
		res := get(t, url+"/run"+query)
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != 200 || res.Header.Get("Content-Type") != want[0] || string(text) != want[1] {
			t.Errorf("%q: %d %s %q, %v", query, res.StatusCode, res.Header.Get("Content-Type"), text, err)
		}
		res = get(t, url+"/run"+query, "If-None-Match", res.Header.Get("Etag"))
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotModified {
			t.Errorf("%q: who has it gets %d", query, res.StatusCode)
		}
	}
	res := get(t, url+"/run?moved=1")
	_ = res.Body.Close()
	if h := res.Header; res.StatusCode != 302 || h.Get("Content-Type") != "" || h.Get("Etag") != "" || res.ContentLength != 0 {
		t.Errorf("a redirect: %d %v", res.StatusCode, h)
	}
}

// streamsReachTheirCaller has a function stream events, 8 MB, and without end.
func streamsReachTheirCaller(t *testing.T, url, runtime string) {
	put(t, url, `const later = ms => new Promise(resolve => setTimeout(resolve, ms))
const streams = {
  async events(res) {
    for (let i = 0; i < 3; i++) { res.write('data: ' + i + '\n'); await later(1) }
    res.end()
  },
  async large(res) {
    for (let i = 0; i < 128; i++) { res.write(Buffer.alloc(1 << 16, i)); await later(0) }
    res.end()
  },
  async endless(res) { for (;;) { res.write('x\n'); await later(1) } },
  async broken(res) { res.write('x\n'); await later(1); throw new Error('no more') },
  async hog(res) {
    const held = []
    res.write('x\n')
    await later(1)
    for (;;) held.push(Buffer.alloc(1 << 20, 1))
  }
}
async function main(req, res) {
  await later(0)
  return streams[req.query.stream](res.type('text/event-stream'))
}`, runtime+`,"body":"auto"`)
	res := get(t, url+"/run?stream=events")
	text, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || string(text) != "data: 0\ndata: 1\ndata: 2\n" || res.ContentLength != -1 {
		t.Errorf("events: %d %q, %v", res.StatusCode, text, err)
	}
	res = get(t, url+"/run?stream=large")
	sum := sha256.New()
	sent, err := io.Copy(sum, res.Body)
	_ = res.Body.Close()
	want := sha256.New()
	for i := range 128 {
		_, _ = want.Write([]byte(strings.Repeat(string([]byte{byte(i)}), 1<<16)))
	}
	if got := hex.EncodeToString(sum.Sum(nil)); err != nil || sent != 8<<20 || got != hex.EncodeToString(want.Sum(nil)) {
		t.Errorf("8 MB: got %d bytes, %v", sent, err)
	}
	for _, cut := range []string{"broken", "hog"} {
		res = get(t, url+"/run?stream="+cut)
		text, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err == nil || !strings.HasPrefix(string(text), "x\n") || res.StatusCode != 200 {
			t.Errorf("%s: a stream that fails looks whole: %d %q", cut, res.StatusCode, text)
		}
	}
	res = get(t, url+"/run?stream=endless")
	line, err := bufio.NewReader(res.Body).ReadString('\n')
	_ = res.Body.Close() // the caller leaves
	if err != nil || line != "x\n" {
		t.Errorf("endless: %q, %v", line, err)
	}
}
