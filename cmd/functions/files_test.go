package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/testenv"
)

// order are the files of a function in TypeScript that throws in its second file.
var order = map[string]string{
	"index.ts": "import { total } from './lib/total'\nimport names from './names.json'\n" +
		"export async function main(req: any, res: any) {\n" +
		"  res.send({ total: total(req.body?.prices), name: names.a ?? 'none' })\n}\n",
	"lib/total.ts": "type Prices = number[]\n\nexport function total(prices: Prices): number {\n" +
		"  if (!prices) throw new Error('no prices')\n  return prices.reduce((a, b) => a + b, 0)\n}\n",
	"names.json": `{"a":"order"}`,
}

// TestFunctionsOfFilesRun deploys the same files on every runtime and store. Servers that share a store run what
// another one has built.
func TestFunctionsOfFilesRun(t *testing.T) {
	for name, vars := range map[string][]string{
		"embedded": nil, "in memory": {"STORAGE=inmemory"}, "Redis": {"REDIS_ENDPOINT=redis://" + testenv.Redis(t).Addr},
	} {
		t.Run(name, func(t *testing.T) {
			used := someRuntimes()
			if name == "embedded" {
				used = runtimes
			}
			vars = append(vars, runtimesVariable(t, used...))
			first := startServer(t, vars...)
			second := first
			if name == "Redis" {
				second = startServer(t, vars...)
			}
			for _, runtime := range used {
				deployOrder(t, first.url+"/functions/files/"+runtime, runtime)
				runOrder(t, second.url+"/functions/files/"+runtime)
			}
			deployArchive(t, first.url+"/functions/files/archive")
			runOrder(t, second.url+"/functions/files/archive")
			deployModule(t, first.url+"/functions/files/module", second.url+"/functions/files/module")
			refuseFiles(t, first.url+"/functions/files/bad")
			put(t, first.url+"/functions/files/archive", "function main(q, res) { res.send(1) }", "")
			eventually(t, "the code that replaced files", func() bool {
				_, answer := request(t, "PUT", second.url+"/functions/files/archive/run", `{}`)
				return answer == "1"
			})
			status, answer := request(t, "GET", second.url+"/functions/files/archive/files/index.ts", "")
			if status != http.StatusNotFound {
				t.Errorf("a file of what was replaced: %d %s", status, answer)
			}
		})
	}
}

func deployOrder(t *testing.T, url, runtime string) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"files": order, "runtime": runtime})
	if err != nil {
		t.Fatal(err)
	}
	status, answer := request(t, "PUT", url, string(text))
	if status != http.StatusOK || !strings.Contains(answer, `"runtime":"`+runtime+`"`) {
		t.Fatalf("%s: %d %s", runtime, status, answer)
	}
}

// runOrder calls the function of order, and reads its files.
func runOrder(t *testing.T, url string) {
	t.Helper()
	if status, answer := request(t, "PUT", url+"/run", `{"prices":[1,2,3]}`); status != http.StatusOK ||
		answer != `{"total":6,"name":"order"}` {
		t.Errorf("%s answers %d %s", url, status, answer)
	}
	if status, answer := request(t, "PUT", url+"/run", `{}`); status != http.StatusInternalServerError ||
		!strings.Contains(answer, "no prices") {
		t.Errorf("%s answers %d %s to what it throws for", url, status, answer)
	}
	status, answer := request(t, "GET", url+"/files/lib/total.ts", "")
	if status != http.StatusOK || answer != order["lib/total.ts"] {
		t.Errorf("%s has the file %d %s", url, status, answer)
	}
	eventually(t, "output with the places of "+url, func() bool {
		request(t, "PUT", url+"/run", `{}`) // a slow machine may have no source map in time at first
		_, answer := request(t, "GET", url+"/logs", "")
		return strings.Contains(answer, "at total (lib/total.ts:4:")
	})
}

func deployArchive(t *testing.T, url string) {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for path, text := range order {
		err := w.WriteHeader(&tar.Header{Name: "./" + path, Size: int64(len(text)), Typeflag: tar.TypeReg})
		if _, writeErr := io.WriteString(w, text); err != nil || writeErr != nil {
			t.Fatal(err, writeErr)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "PUT", url+"?entry=index.ts&timeout=1s", &out)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/gzip")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(text), `"runtime":"node24"`) ||
		!strings.HasPrefix(res.Header.Get("Server-Timing"), "build;dur=") {
		t.Fatalf("archive: %d %s, %v", res.StatusCode, text, err)
	}
}

// deployModule deploys code that is an ES module, which keeps its lines and shows as it was sent.
func deployModule(t *testing.T, url, other string) {
	t.Helper()
	const code = "import _ from 'lodash'\nexport function main(req, res) {\n  if (req.body.fail) throw new Error('no')\n" +
		"  res.send(_.chunk(req.body.list, 2))\n}"
	put(t, url, code, `"runtime":"node24"`)
	if _, answer := request(t, "GET", url, ""); !strings.Contains(answer, `"hash":"`+function.HashOf(code)+`"`) ||
		strings.Contains(answer, "artefact") || strings.Contains(answer, "__functions") {
		t.Errorf("a module is shown as %s", answer)
	}
	for range 2 {
		status, answer := request(t, "PUT", other+"/run", `{"list":[1,2,3]}`)
		if status != http.StatusOK || answer != "[[1,2],[3]]" {
			t.Errorf("a module answers %d %s", status, answer)
		}
	}
	request(t, "PUT", other+"/run", `{"fail":true}`)
	eventually(t, "output with the place in a module", func() bool {
		_, answer := request(t, "GET", other+"/logs", "")
		return strings.Contains(answer, "at main (files/module.js:3:")
	})
}

// refuseFiles deploys what cannot be built, and what is built and fails its trial run.
func refuseFiles(t *testing.T, url string) {
	t.Helper()
	for text, want := range map[string]string{
		`{"files":{"index.ts":"let a = 1\nlet b: = ;\nexport function main() {}"}}`:        `{"error":"index.ts:2:8: `,
		`{"files":{"index.ts":"throw new Error('at once')\nexport const main = () => 1"}}`: `{"error":"Error: at once"`,
		`{"files":{"index.ts":"import a from './b'\nexport const main = () => a"}}`:        `index.ts:1:`,
		`{"files":{"index.ts":"export const main = () => 10n"},"runtime":"node8"}`:         `node24`,
		`{"files":{"../index.ts":""}}`:                                  `"error":"Invalid instance"`,
		`{"files":{"index.ts":"` + strings.Repeat("(", 200_000) + `"}}`: `"error":"index.ts: the code is nested too deeply`,
	} {
		status, answer := request(t, "PUT", url, text)
		if status != http.StatusBadRequest || !strings.Contains(answer, want) {
			t.Errorf("%.100s: %d %s, want %s", text, status, answer, want)
		}
	}
	if status, _ := request(t, "GET", url, ""); status != http.StatusNotFound {
		t.Errorf("what was refused is answered %d", status)
	}
}
