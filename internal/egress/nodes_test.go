package egress_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// nodes are the versions of Node.js that the tests have: the way out must be the only one on each.
var nodes = []string{"node8", "node20", "node22", "node24"}

// nodeBinary is the path of one of nodes.
func nodeBinary(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join("../../cmd/functions/testdata/runtimes/node_modules", name, "bin/node")
	if name == "node8" {
		arch := runtime.GOARCH
		if arch == "amd64" {
			arch = "x64"
		}
		path = filepath.Join(runnerDir(tb), "node_modules/node-linux-"+arch+"/bin/node")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("%s is missing, run make test: %v", name, err)
	}
	return path
}

// runnerDir is where the program in a worker is.
func runnerDir(tb testing.TB) string {
	tb.Helper()
	dir, err := filepath.Abs("../../runner-js")
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

// onEachNode runs test as a subtest for each of nodes; use makes a pool run on it.
func onEachNode(t *testing.T, test func(t *testing.T, name string, use func(*sandbox.Config))) {
	t.Helper()
	for _, name := range nodes {
		t.Run(name, func(t *testing.T) {
			test(t, name, func(c *sandbox.Config) { c.Node = nodeBinary(t, name) })
		})
	}
}

func TestTheGlobalFetchOfNewerNodesGoesTheSameWay(t *testing.T) {
	site := newSite(t, false)
	onEachNode(t, func(t *testing.T, name string, use func(*sandbox.Config)) {
		want := `["GET /a 00-a-b-01","GET / own","EGRESS_DENIED","TypeError"]`
		if name == "node8" {
			want = `["none"]`
		}
		r := newRig(t, egress.Options{Policy: egress.Policy{Mode: egress.Public, Allow: mustRules(t, site.Listener.Addr().String())}}, use)
		inv := invocation(t, "", site.URL)
		inv.Key = "fetch"
		inv.Outgoing = []byte(`{"traceparent":"00-a-b-01"}`)
		inv.Code = `async function main(req, res) {
			if (typeof fetch !== 'function') return res.send(['none']);
			return res.send([
				await (await fetch(req.body + '/a')).text(),
				await (await fetch(req.body, { headers: { TraceParent: 'own' } })).text(),
				await fetch('http://10.0.0.1/').catch(e => e.cause.code),
				await fetch('no address').catch(e => e.name),
			]);
		}`
		result, err := r.pool.Invoke(t.Context(), inv)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(result.Body); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
