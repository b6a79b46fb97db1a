package egress_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
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

// stopwatch collects how long the runs of something took.
type stopwatch []time.Duration

func (s *stopwatch) time(b *testing.B, run func() error) {
	b.Helper()
	began := time.Now()
	err := run()
	*s = append(*s, time.Since(began))
	if err != nil {
		b.Fatal(err)
	}
}

// quantile is in microseconds. The median is what counts; a low quantile is what a busy machine would show if it were idle.
func (s stopwatch) quantile(q float64) float64 {
	slices.Sort(s)
	return float64(s[int(q*float64(len(s)))].Nanoseconds()) / 1e3
}

// BenchmarkFetch measures a function that fetches 1 kB from a server on this machine, and the same code in a Node.js with nothing around
// it, in turns, so that both find the same machine.
func BenchmarkFetch(b *testing.B) {
	server := kilobyte(b)
	for _, keepAlive := range []bool{false, true} {
		b.Run(fmt.Sprintf("keepAlive=%v", keepAlive), func(b *testing.B) {
			r := newRig(b, egress.Options{Policy: egress.Policy{Mode: egress.All}}, func(c *sandbox.Config) { c.Egress.KeepAlive = keepAlive })
			inv := invocation(b, `function main(req, res) { request(req.body, (error, response, body) => res.send(body.length)) }`, server.URL)
			plain := startPlainNode(b, server.URL)
			var through, direct stopwatch
			for b.Loop() {
				direct.time(b, plain)
				through.time(b, func() error {
					result, err := r.pool.Invoke(b.Context(), inv)
					if err == nil && string(result.Body) != "1000" {
						err = fmt.Errorf("got %s", result.Body)
					}
					return err
				})
			}
			for name, q := range map[string]float64{"median": 0.5, "p10": 0.1} {
				b.ReportMetric(through.quantile(q), "µs-"+name)
				b.ReportMetric(direct.quantile(q), "µs-plain-"+name)
				b.ReportMetric(through.quantile(q)-direct.quantile(q), "µs-more-"+name)
			}
			b.ReportMetric(float64(r.seen.of(sandbox.ReasonRetired))/float64(b.N), "workers/op")
		})
	}
}

// plainNode fetches a URL for each line on its stdin.
const plainNode = `
const request = require('request');
process.stdin.setEncoding('utf8').on('data', () => request(process.argv[1], (e, r, body) => process.stdout.write(body.length + '\n')));
`

// startPlainNode returns a function that makes it fetch url once.
func startPlainNode(b *testing.B, url string) (fetch func() error) {
	b.Helper()
	cmd := exec.Command(nodeBinary(b, "node8"), "-e", plainNode, url)
	cmd.Dir = runnerDir(b)
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil || cmd.Start() != nil {
		b.Fatal(err1, err2)
	}
	b.Cleanup(func() {
		_ = stdin.Close() // which ends it
		_ = cmd.Wait()
	})
	lines := bufio.NewReader(stdout)
	return func() error {
		if _, err := stdin.Write([]byte("\n")); err != nil {
			return err
		}
		line, err := lines.ReadString('\n')
		if err == nil && strings.TrimSpace(line) != "1000" {
			err = fmt.Errorf("got %q", line)
		}
		return err
	}
}

// BenchmarkNoFetch is the part of BenchmarkFetch that has nothing to do with the network.
func BenchmarkNoFetch(b *testing.B) {
	r := newRig(b, egress.Options{Policy: egress.Policy{Mode: egress.All}}, nil)
	inv := invocation(b, `function main(req, res) { res.send(1) }`, "")
	var took stopwatch
	for b.Loop() {
		took.time(b, func() error {
			_, err := r.pool.Invoke(b.Context(), inv)
			return err
		})
	}
	b.ReportMetric(took.quantile(0.5), "µs-median")
}
