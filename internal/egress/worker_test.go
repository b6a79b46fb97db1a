package egress_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/sandbox"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("CONNECT_TO"); path != "" {
		connectAndWait(path)
	}
	os.Exit(m.Run())
}

// rig is a proxy and a pool of real workers whose functions go through it.
type rig struct {
	proxy *egress.Proxy
	pool  *sandbox.Pool
	seen  *deaths
}

// newRig starts both. Change may change the pool's configuration.
func newRig(tb testing.TB, options egress.Options, change func(*sandbox.Config)) *rig {
	tb.Helper()
	if options.Limits == (egress.Limits{}) {
		options.Limits = egress.DefaultLimits()
	}
	proxy, err := egress.New(options)
	if err != nil {
		tb.Fatal(err)
	}
	cfg := sandbox.DefaultConfig()
	cfg.Node = nodeBinary(tb, "node8")
	cfg.Runner = filepath.Join(runnerDir(tb), "main.js")
	cfg.Modules = []string{"lodash", "request", "node-fetch"}
	cfg.Size, cfg.Prewarmed = 4, 1
	// Only a broken pool reaches these: what a test finds must not depend on how fast the machine is.
	cfg.SyncTimeout, cfg.AsyncTimeout, cfg.StartTimeout, cfg.QueueTimeout = 5*time.Minute, 5*time.Minute, 5*time.Minute, 5*time.Minute
	cfg.Egress = sandbox.Egress{Socket: proxy.Socket(), Watcher: proxy}
	seen := &deaths{}
	cfg.Observer = seen
	if change != nil {
		change(&cfg)
	}
	pool, err := sandbox.New(context.Background(), cfg)
	if err != nil {
		tb.Fatal(errors.Join(err, proxy.Close()))
	}
	tb.Cleanup(func() {
		if err := errors.Join(pool.Close(), proxy.Close()); err != nil {
			tb.Error(err)
		}
	})
	return &rig{proxy: proxy, pool: pool, seen: seen}
}

// call runs code with body as req.body and reads its answer into T. The code has get(url, options), which resolves to what request tells.
func call[T any](tb testing.TB, r *rig, code string, body any) T {
	tb.Helper()
	result, err := r.pool.Invoke(tb.Context(), invocation(tb, code, body))
	if err != nil {
		tb.Fatalf("%v\n%s", err, code)
	}
	var value T
	if err := json.Unmarshal(result.Body, &value); err != nil {
		tb.Fatalf("%v: %s\n%s", err, result.Body, code)
	}
	return value
}

// helpers are what the code of tests may use.
const helpers = `
const request = require('request');
const fetch = require('node-fetch');
// get resolves to the response with its body, or to the error.
function get(options) {
  return new Promise(resolve => request(options, (error, response, body) => resolve(error || { status: response.statusCode, headers: response.headers, body })));
}
const tell = e => ({ code: e.code, message: e.message, errno: e.errno, syscall: e.syscall, address: e.address, port: e.port, hostname: e.hostname, reason: e.reason });
`

func invocation(tb testing.TB, code string, body any) *sandbox.Invocation {
	tb.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		tb.Fatal(err)
	}
	return &sandbox.Invocation{
		ID: "request-1", Key: fmt.Sprintf("%x", code), Group: "ns", Filename: "ns/fn.js", Code: helpers + code,
		Request: sandbox.Request{Method: "PUT", Header: json.RawMessage(`{}`), Query: json.RawMessage(`{}`), Body: text},
	}
}
