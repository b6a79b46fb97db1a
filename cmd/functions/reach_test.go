package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

// outsideAddress is an address of this machine that is not loopback: who connects to it comes from it.
func outsideAddress(t *testing.T) string {
	t.Helper()
	for range 2 {
		all, err := net.InterfaceAddrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, addr := range all {
			if n, ok := addr.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
				return n.IP.String()
			}
		}
		testenv.NewNetwork(t, 1)
	}
	t.Fatal("this machine has no address but loopback ones")
	return ""
}

// answerTo makes a request for host, which is that of url if it is empty.
func answerTo(t *testing.T, host, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", "127.0.0.1")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestProtectedModeHoldsUntilSomebodyDecides asks a server from this machine and from outside of it.
func TestProtectedModeHoldsUntilSomebodyDecides(t *testing.T) {
	outside := outsideAddress(t)
	const code = `{"code":"function main(req, res) { res.send(1) }"}`
	for name, row := range map[string]struct {
		vars                          []string
		api, run, metrics, evil, from int
	}{
		"nothing is set":       {nil, 403, 200, 403, 421, 200},
		"HOST is set":          {[]string{"HOST=0.0.0.0"}, 200, 200, 200, 200, 200},
		"METRICS_HOST is set":  {[]string{"METRICS_HOST=0.0.0.0"}, 403, 200, 200, 421, 200},
		"AUTH=log":             {[]string{"AUTH=log"}, 200, 200, 403, 200, 200},
		"AUTH=on":              {[]string{"AUTH=on"}, 401, 401, 403, 401, 401},
		"hosts are named":      {[]string{"HOST=0.0.0.0", "ALLOWED_HOSTS=127.0.0.1"}, 421, 421, 200, 421, 200},
		"all hosts are":        {[]string{"ALLOWED_HOSTS=*"}, 403, 200, 403, 200, 200},
		"HOST is set to empty": {[]string{"HOST="}, 403, 200, 403, 421, 200},
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, append([]string{"HOST=", "RUN_PORT=0", "STORAGE=inmemory", "POOL_SIZE=4"}, row.vars...)...)
			awaitProbe(t, s.url+"/readyz", http.StatusOK)
			run := "http://127.0.0.1:" + s.logs.said(t, `listening for runs alone on port (\d+)`)
			far := func(url string) string { return strings.Replace(url, "127.0.0.1", outside, 1) }
			const f = "/functions/n/f"
			for _, ask := range []struct {
				host, method, url string
				want              int
			}{
				{"", "PUT", s.url + f, row.from},
				{"", "PUT", s.url + f + "/run", row.from},
				{"", "PUT", far(s.url) + f, row.api},
				{"", "PUT", far(s.url) + "/FUNCTIONS/n/f/run", row.api},
				{"", "GET", far(s.url) + "/livez", 200},
				{"", "PUT", far(run) + f + "/run", row.run},
				{"evil.example", "PUT", s.url + f + "/run", row.evil},
				{"evil.example", "GET", s.url + "/readyz", 200},
				{"", "GET", s.metrics + "/metrics", 200},
				{"", "GET", far(s.metrics) + "/metrics", row.metrics},
				{"", "GET", far(s.metrics) + "/livez", 200},
				{"", "GET", far(s.metrics) + "/readyz", 200},
			} {
				status, answer := answerTo(t, ask.host, ask.method, ask.url, code)
				if status != ask.want {
					t.Errorf("%s %s of %q: %d %.200s, want %d", ask.method, ask.url, ask.host, status, answer, ask.want)
				}
			}
		})
	}
}

func TestProtectedModeAnswersTheOtherLoopbackAddress(t *testing.T) {
	s := startServer(t, "HOST=", "STORAGE=inmemory", "POOL_SIZE=4")
	url := strings.Replace(s.url, "127.0.0.1", "[::1]", 1)
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		url = strings.Replace(s.url, "127.0.0.1", "127.0.0.2", 1) // there is no IPv6 here
	} else {
		_ = l.Close()
	}
	if status, answer := answerTo(t, "", "GET", url+"/functions", ""); status != http.StatusOK {
		t.Errorf("%s: %d %s", url, status, answer)
	}
}
