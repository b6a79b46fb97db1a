package api

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/deploy"
	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
)

// fakeBuilder makes an artefact of the text of index.ts, or fails with err.
type fakeBuilder struct {
	err      error
	warnings json.RawMessage
	built    []string // the runtimes that it has built for
}

func (b *fakeBuilder) Build(_ context.Context, f *function.Function) (deploy.Built, error) {
	if f.Source == nil {
		return deploy.Built{}, nil
	}
	runtime := ""
	if f.Options.Runtime != nil {
		runtime = *f.Options.Runtime
	}
	b.built = append(b.built, runtime)
	if b.err != nil {
		return deploy.Built{Took: time.Second}, b.err
	}
	f.Artefact = (&function.Artefact{
		Code: "built " + string(f.Source.Files["index.ts"]), Runtime: runtime, Node: "24.1.0", Entry: f.Source.Entry,
		Files: f.Source.List(),
	}).Seal()
	return deploy.Built{Took: time.Second, Warnings: b.warnings}, nil
}

func (b *fakeBuilder) CheckModule(_ context.Context, m *function.Module) (deploy.Built, error) {
	b.built = append(b.built, m.String())
	return deploy.Built{Took: time.Second, Warnings: b.warnings}, b.err
}

// buildError is that of files that cannot be built.
type buildError struct{ error }

func (e buildError) Unwrap() error { return e.error }

func (buildError) Details() json.RawMessage { return json.RawMessage(`[{"file":"index.ts","line":1}]`) }

var runtimes = func() []sandbox.Runtime {
	return []sandbox.Runtime{{Name: "node8", Version: "v8.17.0"}, {Name: "node24", Version: "v24.1.0"}}
}

// targz is an archive of files: names and texts by turns.
func targz(t *testing.T, files ...string) string {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for i := 0; i < len(files); i += 2 {
		err := w.WriteHeader(&tar.Header{Name: files[i], Size: int64(len(files[i+1])), Typeflag: tar.TypeReg})
		if _, writeErr := io.WriteString(w, files[i+1]); err != nil || writeErr != nil {
			t.Fatal(err, writeErr)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const (
	hashOf1 = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b" // SHA-256 of "1"
	hashOf2 = "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"
)

func TestFilesAreBuiltAndStored(t *testing.T) {
	ref := function.Ref{Namespace: "n", ID: "f"}
	const listed = `"entry":"index.ts","files":[{"path":"index.ts","size":1,"hash":"` + hashOf1 + `"},` +
		`{"path":"lib/b.ts","size":1,"hash":"` + hashOf2 + `"}]`
	archive := targz(t, "./index.ts", "1", "lib/b.ts", "2")
	for name, request := range map[string]struct{ method, query, body, media string }{
		"JSON":           {"PUT", "", `{"files":{"index.ts":"1","lib/b.ts":{"base64":"Mg=="}},"entry":"./index.ts","timeout":"2s"}`, "application/json"},
		"POST":           {"POST", "", `{"timeout":"2s","entry":"index.ts","files":{"lib/b.ts":"2","index.ts":"1"}}`, "application/json"},
		"gzip":           {"PUT", "?entry=index.ts&timeout=2s", archive, "application/gzip"},
		"x-gzip by POST": {"POST", "?entry=index.ts&timeout=2s", archive, "application/x-gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			store, builder := newFakeStore(), &fakeBuilder{warnings: json.RawMessage(`[{"text":"w"}]`)}
			var checked string
			url := serve(t, Options{
				Store: store, Builder: builder, Runtimes: runtimes,
				Invoker: &fakeInvoker{check: func(_ function.Ref, code string) error { checked = code; return nil }},
			}) + "/functions/n/f"
			res, body := do(t, newRequest(t, request.method, url+request.query, request.body, "Content-Type", request.media))
			hash := (&function.Source{
				Entry: "index.ts", Files: map[string][]byte{"index.ts": []byte("1"), "lib/b.ts": []byte("2")},
			}).Hash()
			built := (&function.Artefact{Code: "built 1"}).Seal().Hash
			artefact := `"artefact":{"hash":"` + built + `","size":7,"runtime":"node24","node":"24.1.0"}`
			const options = `"runtime":"node24","timeout":"2s","globals":"web"`
			expect(t, res, body, 200, `{"id":"f",`+listed+`,"hash":"`+hash+`",`+artefact+`,"warnings":[{"text":"w"}],`+options+`}`)
			if got := res.Header.Get("Server-Timing"); got != "build;dur=1000.000" {
				t.Errorf("Server-Timing is %q", got)
			}
			if checked != "built 1" || store.functions[ref].Source == nil {
				t.Errorf("%q was tried", checked)
			}
			res, body = do(t, newRequest(t, "GET", url, ""))
			var shown map[string]any
			if err := json.Unmarshal([]byte(body), &shown); err != nil || shown["hash"] != hash || shown["code"] != nil ||
				res.Header.Get("ETag") != hash || !strings.Contains(body, listed+`,"hash":"`+hash+`",`+artefact) {
				t.Errorf("GET answers %s", body)
			}
			res, body = do(t, newRequest(t, "GET", url+"/files", ""))
			expect(t, res, body, 200, `{`+listed+`}`)
			res, body = do(t, newRequest(t, "GET", url+"/files/lib%2Fb.ts", ""))
			expect(t, res, body, 200, "2")
			res, body = do(t, newRequest(t, "GET", url+"/files/lib/b.ts", ""))
			expect(t, res, body, 200, "2")
			if got := res.Header.Get("Content-Type") + " " + res.Header.Get("X-Content-Type-Options"); got !=
				"application/octet-stream nosniff" {
				t.Errorf("a file is served as %q", got)
			}
			res, body = do(t, newRequest(t, "GET", url+"/files/lib/c.ts", ""))
			expect(t, res, body, 404, `{"error":"File not found"}`)
		})
	}
}

func TestDeploysOfFilesThatAreRefused(t *testing.T) {
	const media = "application/json"
	long := strings.Repeat("x", 3<<20)
	for name, row := range map[string]struct {
		query, body, media string
		status             int
		want               string
	}{
		"code and files":    {"", `{"code":"1","files":{"a.js":""}}`, media, 400, "instance.code and instance.files are both given"},
		"no object":         {"", `{"files":[]}`, media, 400, "instance.files is not of a type(s) object"},
		"another type":      {"", `{"files":{"a.js":""}}`, "text/plain", 400, "the body was ignored since its Content-Type"},
		"a name":            {"", `{"files":{"../a.js":""}}`, media, 400, `instance.files[\"../a.js\"] has the part`},
		"entry":             {"", `{"files":{"a.js":""},"entry":"b.js"}`, media, 400, `instance.entry is \"b.js\", which is none of`},
		"entry of a type":   {"", `{"files":{"a.js":""},"entry":1}`, media, 400, "instance.entry is not of a type(s) string"},
		"an option":         {"", `{"files":{"a.js":""},"timeout":1}`, media, 400, "instance.timeout is not of a type(s) string"},
		"a runtime":         {"", `{"files":{"a.js":""},"runtime":"x"}`, media, 400, "instance.runtime is not one of enum values: node8,node24"},
		"env":               {"", `{"files":{"a.js":""},"env":1}`, media, 400, "instance.env is not of a type(s) object"},
		"an option of gzip": {"?maxConcurrency=x", targz(t, "a.js", ""), "application/gzip", 400, "instance.maxConcurrency is not of"},
		"a name in a query": {"?env=x", targz(t, "a.js", ""), "application/gzip", 400, `The query has \"env\": with an archive it may`},
		"entry of gzip":     {"?entry=b", targz(t, "a.js", ""), "application/gzip", 400, `instance.entry is \"b\", which is none of`},
		"no gzip":           {"", `{"files":{}}`, "application/gzip", 400, "the body is not a tar archive that is compressed"},
		"a link":            {"", targz(t, "../a.js", ""), "application/gzip", 400, `the file \"../a.js\" of the archive has the part`},
		"too large":         {"", `{"files":{"a.js":"` + long + `"}}`, media, 413, "the files have more than 2mb, which is CODE_LIMIT"},
		"far too large":     {"", `{"files":{"a.js":"` + long + long + `"}}`, media, 413, "which is CODE_LIMIT"},
		"too large by gzip": {"", targz(t, "a.js", long), "application/gzip", 413, "which is CODE_LIMIT"},
		"large code":        {"", `{"code":"` + long + `"}`, media, 413, `{"error":"request entity too large"}`},
		"of files":          {"", `{"code":"\"files\" ` + long + `"}`, media, 413, `{"error":"request entity too large"}`},
		`named "files"`:     {"", `{"x":["files"],"code":"` + long + `"}`, media, 413, `{"error":"request entity too large"}`},
	} {
		t.Run(name, func(t *testing.T) {
			store := newFakeStore()
			url := serve(t, Options{Store: store, Builder: &fakeBuilder{}, Runtimes: runtimes, CodeLimit: 2 << 20})
			request := newRequest(t, "PUT", url+"/functions/n/f"+row.query, row.body, "Content-Type", row.media)
			res, body := do(t, request)
			if res.StatusCode != row.status || !strings.Contains(body, row.want) {
				t.Errorf("%d %s, want %s", res.StatusCode, body, row.want)
			}
			if len(store.functions) > 0 {
				t.Error("it was stored")
			}
		})
	}
}

func TestFilesMayBeLongerThanBodies(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	url := serve(t, Options{Builder: &fakeBuilder{}, Runtimes: runtimes})
	for _, coding := range []string{"", "gzip"} {
		text := `{"files":{"index.ts":"` + long + `"}}`
		if coding == "gzip" {
			var out bytes.Buffer
			z := gzip.NewWriter(&out)
			if _, err := io.WriteString(z, text); err != nil || z.Close() != nil {
				t.Fatal(err)
			}
			text = out.String()
		}
		request := newRequest(t, "PUT", url+"/functions/n/f", text, "Content-Type", "application/json")
		if coding != "" {
			request.Header.Set("Content-Encoding", coding)
		}
		if res, body := do(t, request); res.StatusCode != 200 {
			t.Errorf("%q: %d %.300s", coding, res.StatusCode, body)
		}
	}
}

func TestFilesThatCannotBeBuiltAreToldWithTheirPlaces(t *testing.T) {
	var log []string
	store := newFakeStore()
	url := serve(t, Options{
		Store: store, Builder: &fakeBuilder{err: buildError{outcome.BadRequest("index.ts:1:2: no")}},
		FunctionLog: func(ref function.Ref, line string) { log = append(log, ref.String()+": "+line) },
	})
	res, body := do(t, newRequest(t, "PUT", url+"/functions/n/f", `{"files":{"index.ts":"("}}`, "Content-Type", "application/json"))
	expect(t, res, body, 400, `{"error":"index.ts:1:2: no","details":[{"file":"index.ts","line":1}]}`)
	if len(log) != 1 || log[0] != "n/f: Failed to post code: index.ts:1:2: no" || res.Header.Get("Server-Timing") == "" {
		t.Errorf("logged %q, %q", log, res.Header)
	}
	if len(store.functions) > 0 {
		t.Error("it was stored")
	}
	url = serve(t, Options{})
	res, body = do(t, newRequest(t, "PUT", url+"/functions/n/f", `{"files":{"index.ts":"("}}`, "Content-Type", "application/json"))
	expect(t, res, body, 400, `{"error":"This server builds no files: send code"}`)
}

func TestOnlyNewFunctionsOfFilesGetTheNewestRuntime(t *testing.T) {
	store, builder := newFakeStore(), &fakeBuilder{}
	url := serve(t, Options{Store: store, Builder: builder, Runtimes: runtimes})
	put := func(id, body string) {
		t.Helper()
		res, answer := do(t, newRequest(t, "PUT", url+"/functions/n/"+id, body, "Content-Type", "application/json"))
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", res.StatusCode, answer)
		}
	}
	put("new", `{"files":{"index.ts":"1"}}`)
	put("new", `{"files":{"index.ts":"2"}}`)
	put("eight", `{"files":{"index.ts":"1"},"runtime":"node8"}`)
	put("eight", `{"files":{"index.ts":"2"}}`)
	put("code", `{"code":"function main() {}"}`)
	put("code", `{"files":{"index.ts":"1"}}`)
	if got := strings.Join(builder.built, ","); got != "node24,node24,node8,node8," {
		t.Errorf("built for %q", got)
	}
	if f := store.functions[function.Ref{Namespace: "n", ID: "code"}]; f.Options.Runtime != nil || f.Options.Globals != nil {
		t.Errorf("a function that there was got the options %+v", f.Options)
	}
	put("new", `{"code":"function main() {}"}`)
	if f := store.functions[function.Ref{Namespace: "n", ID: "new"}]; f.Artefact != nil || f.Source != nil || f.Code == "" {
		t.Errorf("code in place of files left %+v", f)
	}
}
