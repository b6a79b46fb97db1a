package api

import (
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

var loopbackProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func TestPagesOfOtherSitesChangeNothing(t *testing.T) {
	handlers := New(Options{
		Store: newFakeStore(), Invoker: &fakeInvoker{}, TrustedProxies: loopbackProxies,
		Calls: newCalls(t, &fakeInvoker{}),
		Reach: Reach{Origins: []string{"https://admin.example.org"}},
	})
	for name, row := range map[string]struct {
		header  []string
		refused bool
	}{
		"no browser":         {nil, false},
		"another site":       {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, true},
		"another port":       {[]string{"Sec-Fetch-Site", "same-site", "Origin", "http://api.example.org:9999"}, true},
		"an older browser":   {[]string{"Origin", "https://evil.example"}, true},
		"a frame":            {[]string{"Origin", "null"}, true},
		"the same origin":    {[]string{"Sec-Fetch-Site", "same-origin", "Origin", "http://api.example.org"}, false},
		"by Origin alone":    {[]string{"Origin", "http://api.example.org"}, false},
		"behind a proxy":     {[]string{"Origin", "https://out.example", "X-Forwarded-Host", "out.example"}, false},
		"typed by hand":      {[]string{"Sec-Fetch-Site", "none"}, false},
		"an allowed origin":  {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "https://admin.example.org"}, false},
		"almost one allowed": {[]string{"Sec-Fetch-Site", "cross-site", "Origin", "http://admin.example.org"}, true},
	} {
		all := everything()
		for _, path := range slices.Sorted(maps.Keys(all)) {
			for _, what := range all[path] {
				method, target, _ := strings.Cut(what, " ")
				status, body := from(handlers.API, "127.0.0.1:5", "api.example.org", method, target, row.header...)
				refused := status == http.StatusForbidden && strings.Contains(body, `"reason":"cross_site"`)
				if want := row.refused && changes(path, method); refused != want {
					t.Errorf("%s: %s: %d %s", name, what, status, body)
				}
			}
		}
	}
}

// changes says whether a method of a resource changes what the server has. Runs are those of functions.
func changes(path, method string) bool {
	if strings.HasPrefix(path, "/keys") || path == "none" || strings.Contains(path, "/run") || path == pipelinePath {
		return false // keys are not there with AuthOff
	}
	return method == "PUT" || method == "POST" || method == "DELETE"
}
