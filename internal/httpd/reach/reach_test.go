package reach

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
)

func TestCallersAreLocalByTheAddressOfTheirConnection(t *testing.T) {
	for remote, want := range map[string]bool{
		"127.0.0.1:5": true, "127.8.9.10:5": true, "[::1]:5": true, "[::ffff:127.0.0.1]:5": true, "[::1%lo]:5": true,
		"192.0.2.1:5": false, "10.0.0.1:5": false, "172.17.0.1:5": false, "[fe80::1%eth0]:5": false, "[::ffff:192.0.2.1]:5": false,
		"[2001:db8::1]:5": false, "0.0.0.0:5": false, "": false, "@": false, "localhost:5": false, "127.0.0.1": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/", http.NoBody)
		r.RemoteAddr = remote
		for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "Client-Ip"} {
			r.Header.Set(name, "127.0.0.1")
		}
		if got := IsLocal(r); got != want {
			t.Errorf("%q: %v, want %v", remote, got, want)
		}
	}
}

func TestCallersOverAUnixSocketAreLocal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	found := make(chan bool, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { found <- IsLocal(r) })}
	defer server.Close()
	go func() { _ = server.Serve(l) }()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	response, err := client.Get("http://h/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if !<-found {
		t.Error("it is not")
	}
}

func TestHostsAreAllowedInEverySpelling(t *testing.T) {
	for _, row := range []struct {
		listed  string
		hosts   *Hosts
		yes, no []string
	}{
		{listed: "loopback names", hosts: Loopback(), yes: []string{
			"localhost", "LocalHost:8100", "localhost.", "a.localhost:1", "127.0.0.1:8100", "127.9.9.9", "[::1]:8100", "[::1]",
			"[0:0:0:0:0:0:0:1]:1", "",
		}, no: []string{
			"evil.example", "localhost.evil.example:8100", "notlocalhost", "127.0.0.1.evil.example", "192.0.2.1:8100", "0.0.0.0:8100",
			"[::]:8100", "[2001:db8::1]", "0177.0.0.1", "2130706433", "127.1", "localhost:8100.evil.example", "[localhost.evil]",
		}},
		{listed: "a name", hosts: NewHosts("Api.example.org", "192.0.2.1", "2001:DB8::1"), yes: []string{
			"api.example.org", "API.EXAMPLE.ORG:443", "api.example.org.", "192.0.2.1:8100", "[2001:db8:0::1]:8100",
		}, no: []string{
			"localhost", "127.0.0.1", "example.org", "x.api.example.org", "api.example.org.evil.example", "api.example.orgx",
			"192.0.2.10", "[2001:db8::2]",
		}},
		{listed: "names below one", hosts: NewHosts("*.example.org"), yes: []string{
			"a.example.org", "a.b.Example.org:1",
		}, no: []string{"example.org", ".example.org", "evilexample.org", "a.example.org.evil.example", "localhost"}},
		{listed: "all", hosts: NewHosts("*"), yes: []string{"evil.example", "", "192.0.2.1:1", "*"}},
		{listed: "none", hosts: new(Hosts), yes: []string{""}, no: []string{"localhost", "*"}},
	} {
		for _, host := range row.yes {
			if !row.hosts.Allow(host) {
				t.Errorf("%s: %q is not allowed", row.listed, host)
			}
		}
		for _, host := range row.no {
			if row.hosts.Allow(host) {
				t.Errorf("%s: %q is allowed", row.listed, host)
			}
		}
	}
}
