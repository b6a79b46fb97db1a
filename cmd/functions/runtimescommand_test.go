package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	nodes "github.com/backstage/functions/internal/runtimes"
)

// nodeRegistry is a registry of npm with the tests' own Node.js 24 as a package, and with node20, whose hash is
// another one than was pinned.
type nodeRegistry struct {
	*httptest.Server
	asked chan string // the paths of requests that hang
}

// startNodeRegistry starts one and has this program know what is in it.
func startNodeRegistry(t *testing.T) *nodeRegistry {
	t.Helper()
	tarball := filepath.Join(t.TempDir(), "node.tgz")
	integrity := packNode(t, tarball, "testdata/runtimes/node_modules/node24/bin/node")
	r := &nodeRegistry{asked: make(chan string, 1)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch {
		case strings.HasSuffix(req.URL.Path, "/-/node-24.21.0.tgz"):
			http.ServeFile(w, req, tarball)
		case strings.HasSuffix(req.URL.Path, "/-/node-20.20.2.tgz"):
			_, _ = io.WriteString(w, "something else")
		case strings.HasSuffix(req.URL.Path, "/-/node-22.23.3.tgz"):
			w.(http.Flusher).Flush()
			r.asked <- req.URL.Path
			<-req.Context().Done()
		default:
			http.NotFound(w, req)
		}
	}))
	t.Cleanup(r.Close)
	before := catalog
	t.Cleanup(func() { catalog = before })
	pin := func(name, version string) nodes.Pin {
		return nodes.Pin{Name: name, Version: version, Arch: runtime.GOARCH, Package: "node", Integrity: integrity}
	}
	catalog = func() nodes.Catalog {
		return nodes.Catalog{pin("node8", "8.17.0"), pin("node20", "20.20.2"), pin("node22", "22.23.3"), pin("node24", "24.21.0")}
	}
	return r
}

// packNode makes a package of a binary and returns its hash.
func packNode(t *testing.T, path, binary string) (integrity string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	node, err := os.Open(binary)
	if err != nil {
		t.Fatalf("run make test: %v", err)
	}
	defer node.Close()
	info, err := node.Stat()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha512.New()
	zip, _ := gzip.NewWriterLevel(io.MultiWriter(file, sum), gzip.NoCompression)
	archive := tar.NewWriter(zip)
	err = archive.WriteHeader(&tar.Header{Name: "package/bin/node", Typeflag: tar.TypeReg, Mode: 0o755, Size: info.Size()})
	if err == nil {
		_, err = io.Copy(archive, node)
	}
	if err := errors.Join(err, archive.Close(), zip.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return "sha512-" + base64.StdEncoding.EncodeToString(sum.Sum(nil))
}

// runtimesCommand runs functions runtimes with arguments and returns what it prints.
func runtimesCommand(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := run(t.Context(), append([]string{"runtimes"}, args...), &out)
	return out.String(), err
}

// wantSaid fails t unless the command says all that, in its output or its error.
func wantSaid(t *testing.T, args string, wants ...string) {
	t.Helper()
	out, err := runtimesCommand(t, strings.Fields(args)...)
	for _, want := range wants {
		if !strings.Contains(fmt.Sprint(out, err), want) {
			t.Errorf("functions runtimes %s: %s%v, want %q", args, out, err, want)
		}
	}
}

func TestRuntimesComeAndGoWhileTheServerRuns(t *testing.T) {
	registry := startNodeRegistry(t)
	folder := t.TempDir()
	config := filepath.Join(folder, "server.env")
	configure := func(lines ...string) {
		t.Helper()
		if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	node8 := runtimesVariable(t, "node8")
	configure(node8)
	dir := filepath.Join(folder, "data")
	s := startServer(t, "CONFIG_FILE="+config, "DATA_DIR="+dir)
	for name, value := range map[string]string{
		"CONFIG_FILE": config, "DATA_DIR": dir, "NPM_REGISTRY": registry.URL + "/npm", "RUNNER_DIR": "../../runner-js",
	} {
		t.Setenv(name, value)
	}
	url := s.url + "/functions/runtimes/fn"
	const code = `function main(req, res) { setTimeout(() => res.send(process.version), req.body.wait || 0); console.log('begun ' + req.body.wait) }`

	wantSaid(t, "list", "node8   v8.17.0   configured", "node24  v24.21.0  available   functions runtimes add node24")
	text := fmt.Sprintf(`{"code":%q,"runtime":"node24"}`, code)
	if status, answer := request(t, "PUT", url, text); status != http.StatusBadRequest || !strings.Contains(answer, "functions runtimes add") {
		t.Errorf("before it is there: %d %s", status, answer)
	}

	wantSaid(t, "add node24", "node24: fetching Node.js 24.21.0 from "+registry.URL+"/npm\n", "node24: installed v24.21.0 at "+dir)
	s.logs.await(t, `(Runtime added).*runtime=node24 version=v24.21.0`)
	wantSaid(t, "list", "node24  v24.21.0  installed")
	wantSaid(t, "list --json", `"name": "node24"`, `"state": "installed"`)
	wantSaid(t, "add node24", "node24: v24.21.0 is installed already")
	put(t, url, code, `"runtime":"node24"`)
	wantRun := func(status int, want string) {
		t.Helper()
		if got, answer := request(t, "PUT", url+"/run", `{}`); got != status || !strings.Contains(answer, want) {
			t.Errorf("got %d %s, want %d %s", got, answer, status, want)
		}
	}
	wantRun(http.StatusOK, `"v24.21.0"`)
	const both = `"runtimes":[{"name":"node8","version":"v8.17.0"},{"name":"node24","version":"v24.21.0"}]`
	if _, answer := request(t, "GET", s.url+"/status", ""); !strings.Contains(answer, both) {
		t.Errorf("/status is %s", answer)
	}
	if text := s.scrape(t); !strings.Contains(text, `functions_runtime_info{runtime="node24",version="v24.21.0"} 1`) ||
		!strings.Contains(text, `functions_runtime_changes_total{change="added"} 1`) {
		t.Error("the metrics do not tell of it")
	}

	// What fails leaves everything as it was.
	wantSaid(t, "add node20", "does not have the hash that this program knows")
	wantSaid(t, "add node21", "node21 is not among node8, node20, node22, node24")
	wantSaid(t, "add", "usage: functions runtimes add NAME...")
	wantSaid(t, "remove node20", "node20: it is not installed")
	wantSaid(t, "remove node8", "node8: it is named by RUNTIMES or NODE_BINARY")
	wantSaid(t, "frob", "there is no command runtimes frob")
	hung, stop := context.WithCancel(t.Context())
	go func() {
		<-registry.asked
		stop() // as SIGINT does
	}()
	if err := run(hung, []string{"runtimes", "add", "node22"}, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("a registry that hangs: %v", err)
	}
	wantSaid(t, "list", "node20  v20.20.2  available", "node22  v22.23.3  available", "node24  v24.21.0  installed")

	// One that is in use finishes its calls.
	held := make(chan string, 1)
	go func() {
		status, answer := request(t, "PUT", url+"/run", `{"wait":4000}`)
		held <- fmt.Sprint(status, answer)
	}()
	s.logs.await(t, `(begun 4000)`)
	wantSaid(t, "remove node24", "node24: removed. A running server finishes its calls")
	s.logs.await(t, `(Runtime removed).*runtime=node24`)
	wantRun(http.StatusNotImplemented, `The function asks for the runtime node24, which this server does not have`)
	s.logs.await(t, `(add it by functions runtimes add)`)
	if got := <-held; got != `200"v24.21.0"` {
		t.Errorf("the call that ran: %s", got)
	}
	wantSaid(t, "add node24", "installed v24.21.0")
	s.logs.await(t, `(Runtime added).*runtime=node24`)
	wantRun(http.StatusOK, `"v24.21.0"`)

	// SIGHUP applies RUNTIMES, and modules of single runtimes.
	configure(runtimesVariable(t, "node8", "node20"), `RUNTIME_MODULES={"node20":{"modules":"uuid"}}`)
	s.signal(t, syscall.SIGHUP)
	s.logs.await(t, `(Runtime added).*runtime=node20 version=v20.20.2`)
	put(t, url, `function main(req, res) { try { require('lodash') } catch (e) { res.send(require('uuid').v4().length + process.version) } }`,
		`"runtime":"node20"`)
	wantRun(http.StatusOK, `"36v20.20.2"`)
	configure(node8)
	s.signal(t, syscall.SIGHUP)
	s.logs.await(t, `(Runtime removed).*runtime=node20`)
	wantRun(http.StatusNotImplemented, "deploy it again with one of node8, node24")
}
