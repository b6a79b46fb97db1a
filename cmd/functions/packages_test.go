package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/testenv"
)

const (
	packagesPage = "../../docs/packages.md"
	packagesDir  = "testdata/packages"
	works        = "works"
)

var updatePackages = flag.Bool("update-packages", false, "write docs/packages.md")

const packagesIntro = `# Packages of npm

<!-- Generated from cmd/functions/packages_rows_test.go: run make packages. -->

These packages are deployed from a lock file, bundled by the server and called, each on three versions of Node.js, with
` + "`\"globals\":\"web\"`" + `. A package that does not work is followed by the error of the ` + "`PUT`" + ` or of the
call. [A guide](guides/npm-dependency.md) deploys one.

What fails on Node.js 8 wants something of later versions that a bundler cannot write in older words: BigInt, classes of
regular expressions such as ` + "`\\p{L}`" + `, WebCrypto, or modules and methods that came later. An older version of
the package often does without; on a newer runtime nothing is needed.

| Package | Version | What the function does | Node.js 8 | Node.js 20 | Node.js 24 |
|---|---|---|---|---|---|
`

// TestPackagesWork deploys functions with packages from a lock file and calls them. The page of packages has the
// results; one that differs from it is an error, for better or worse.
func TestPackagesWork(t *testing.T) {
	lock, versions := readPackageLock(t)
	rows := packageRows
	if os.Getenv("NIGHTLY") != "1" {
		rows = slices.DeleteFunc(slices.Clone(rows), func(row packageRow) bool {
			return !slices.Contains(quickPackages, row.name)
		})
	}
	s := startServer(t, append(outsideVariables(), runtimesVariable(t, packageRuntimes...), "EGRESS_ALLOW=127.0.0.1",
		"NPM_REGISTRY="+npmRegistry(t), "WORKER_MEMORY_LIMIT=512mb", "FUNCTION_LOGS_KEPT=0")...)
	input := packagesInput(t)
	var page strings.Builder
	page.WriteString(packagesIntro)
	for _, row := range rows {
		fmt.Fprintf(&page, "| `%s` | %s | %s |", row.name, versions[row.name], row.does)
		for _, runtime := range packageRuntimes {
			fmt.Fprintf(&page, " %s |", callPackage(t, s, lock, row, runtime, input))
		}
		page.WriteString("\n")
	}
	if *updatePackages {
		if len(rows) < len(packageRows) {
			t.Fatal("the page has all packages: set NIGHTLY=1")
		}
		if err := os.WriteFile(packagesPage, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wantLines(t, packagesPage, page.String(), len(rows) == len(packageRows))
}

// wantLines checks that a page has these lines in this order, and with whole no others.
func wantLines(t *testing.T, path, lines string, whole bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if whole && string(text) != lines {
		t.Errorf("%s is not up to date: run make packages", path)
	}
	rest := string(text)
	for line := range strings.Lines(lines) {
		_, after, found := strings.Cut(rest, line)
		if !found {
			t.Errorf("%s does not have the line, run make packages:\n%s", path, line)
			continue
		}
		rest = after
	}
}

// callPackage is what the page says of a package on one runtime.
func callPackage(t *testing.T, s *server, lock packageLock, row packageRow, runtime, input string) string {
	t.Helper()
	slug := strings.ReplaceAll(strings.TrimPrefix(row.name, "@"), "/", "-")
	path := "/functions/packages/" + slug + "-" + runtime
	status, answer := request(t, http.MethodPut, s.url+path, packageDeploy(t, lock, row.name, slug, runtime))
	if status != http.StatusOK {
		return failureOf(t, status, answer)
	}
	status, answer = request(t, http.MethodPut, s.url+path+"/run", input)
	if status != http.StatusOK {
		return failureOf(t, status, answer)
	}
	if answer != row.want {
		t.Errorf("%s on %s answered %s, want %s", row.name, runtime, answer, row.want)
		return "`" + answer + "`"
	}
	return works
}

// packageDeploy is the body of a PUT with the function of a package.
func packageDeploy(t *testing.T, lock packageLock, name, slug, runtime string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(packagesDir, "functions", slug+".?s"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the function of %s: %q, %v", name, found, err)
	}
	code, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	entry := "index" + filepath.Ext(found[0])
	body, err := json.Marshal(map[string]any{
		"files":   map[string]string{entry: string(code), "package-lock.json": lock.of(name)},
		"runtime": runtime, "globals": "web",
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// place matches where in an artefact an error is, which changes with every version.
var place = regexp.MustCompile(`^node_modules/[^ ]*:\d+:\d+: `)

// failureOf is an error as the page shows it: its first line, without a place.
func failureOf(t *testing.T, status int, answer string) string {
	t.Helper()
	var body struct{ Error, Reason string }
	if json.Unmarshal([]byte(answer), &body) != nil || body.Error == "" || status == http.StatusServiceUnavailable ||
		status == http.StatusBadGateway || body.Reason != "" {
		t.Errorf("%d %s", status, answer)
	}
	line, _, _ := strings.Cut(place.ReplaceAllString(body.Error, ""), "\n")
	const longest = 72
	if len(line) > longest {
		line = line[:longest] + "…"
	}
	return "`" + strings.NewReplacer("|", `\|`, "`", "'").Replace(line) + "`"
}

// packagesInput starts what the functions talk to. It is the body that they get.
func packagesInput(t *testing.T) string {
	t.Helper()
	site := httptest.NewServer(packagesSite())
	t.Cleanup(site.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	return fmt.Sprintf(`{"url":%q,"redis":"redis://%s","closed":%d}`, site.URL, testenv.Redis(t).Addr,
		closed.Addr().(*net.TCPAddr).Port)
}

// packagesSite answers as the services do that clients among the packages are for.
func packagesSite() http.Handler {
	mux := http.NewServeMux()
	answer := func(pattern, contentType, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("X-Ms-Blob-Type", "BlockBlob")
			_, _ = w.Write([]byte(body))
		})
	}
	mux.HandleFunc("GET /json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"hello":"world","query":%q}`, r.URL.RawQuery)
	})
	const asJSON = "application/json"
	answer("POST /graphql", asJSON, `{"data":{"hello":"x"}}`)
	answer("GET /bucket/object", "text/plain", "stored")
	answer("GET /account/bucket/object", "text/plain", "stored")
	answer("GET /v1/customers/cus_1", asJSON, `{"id":"cus_1","object":"customer"}`)
	answer("POST /v1/chat/completions", asJSON,
		`{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"}}]}`)
	answer("POST /v1beta/models/{call}", asJSON, `{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]}}]}`)
	return mux
}

// npmRegistry is the registry that npm uses on this machine.
func npmRegistry(t testing.TB) string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "npm", "config", "get", "registry").Output()
	if err != nil {
		t.Fatalf("npm config get registry: %v", err)
	}
	return strings.TrimSpace(string(text))
}

// outsideVariables are those of this process that lead to the outside.
func outsideVariables() []string {
	var vars []string
	for _, name := range []string{"NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY"} {
		if value := os.Getenv(name); value != "" {
			vars = append(vars, name+"="+value)
		}
	}
	return vars
}
