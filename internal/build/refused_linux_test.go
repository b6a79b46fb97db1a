package build

import (
	"strings"
	"testing"
)

func TestWhatCannotRunIsRefusedWithItsLine(t *testing.T) {
	const main = "\nexport function main() { return 1 }\n"
	for _, row := range []struct {
		name   string
		target Target
		files  map[string][]byte
		at     string // file, line and column as messages begin
		text   string
		hint   string
		source string
	}{
		{
			name: "syntax", files: files("index.ts", "const a = 1\nconst b = = 2"+main),
			at: "index.ts:2:11: ", text: `Unexpected "="`, source: "const b = = 2",
		},
		{
			name: "syntax after wide characters", files: files("index.js", "/* 𝒳é */ const b = = 2"+main),
			at: "index.js:1:21: ", text: `Unexpected "="`,
		},
		{
			name: "a file beside", files: files("index.ts", "import './lib/a'"+main, "lib/a.ts", "\n\n  let x: number = ;"),
			at: "lib/a.ts:3:19: ", text: `Unexpected ";"`, source: "  let x: number = ;",
		},
		{
			name: "BigInt", target: node8, files: files("index.js", "const big = 10n"+main),
			at: "index.js:1:13: ", text: "BigInt literals do not exist on node8", hint: "set runtime to node24",
		},
		{
			name: "named group", target: node8, files: files("index.js", "const r = /(?<year>\\d+)/"+main),
			at: "index.js:1:13: ", text: "Named capture groups in regular expressions are not available in the runtime node8",
			hint: "set runtime to node24",
		},
		{
			name: "property escape", target: node8, files: files("index.js", "const r = /\\p{L}/u"+main),
			at: "index.js:1:12: ", text: "Unicode property escapes", hint: "set runtime to node24",
		},
		{
			name: "flag v", target: node8, files: files("index.js", "const r = /a/v"+main),
			at: "index.js:1:14: ", text: `The regular expression flag "v" is not available`, hint: "set runtime to node24",
		},
		{
			name: "flag d", target: node8, files: files("index.js", "const r = /a/d"+main),
			at: "index.js:1:14: ", text: `The regular expression flag "d" is not available`, hint: "set runtime to node24",
		},
		{
			name: "top-level await", files: files("index.js", "const x = await fetch('/')"+main),
			at: "index.js:1:11: ", text: "await at the top level is not available", hint: "await inside of the handler",
		},
		{
			name: "import.meta", files: files("index.js", "const x = import.meta.url"+main),
			at: "index.js:1:11: ", text: "import.meta means nothing in functions",
		},
		{
			name: "import of a name", files: files("index.js", "const x = n => import(n)"+main),
			at: "index.js:1:16: ", text: "import() of what is not a constant", hint: "constant text",
		},
		{
			name: "no file", files: files("index.js", "import './nothing'"+main),
			at: "index.js:1:8: ", text: `Could not resolve "./nothing"`, hint: "upload the file, or correct the path",
		},
		{
			name: "no package", files: files("index.js", "import x from 'left-pad'\nconsole.log(x)"+main),
			at: "index.js:1:15: ", text: `Could not resolve "left-pad"`, hint: "package-lock.json",
		},
		{
			name: "an absolute path", files: files("index.js", "import '/etc/passwd'"+main),
			at: "index.js:1:8: ", text: "/etc/passwd",
		},
		{
			name: "a path that leads out", files: files("index.js", "import '../../../../../etc/passwd'"+main),
			at: "index.js:1:8: ", text: "etc/passwd",
		},
		{
			name: "native add-on", files: files("index.js", "import './a.node'"+main, "a.node", "x"),
			at: "index.js:1:8: ", text: "native add-ons do not run in functions",
		},
		{
			name:  "broken JSON",
			files: files("index.js", "import a from './a.json'\nconsole.log(a)"+main, "a.json", "{\n  \"a\": x\n}"),
			at:    "a.json:2:8: ", text: `Unexpected "x"`,
		},
		{
			name: "broken tsconfig", files: files("index.ts", main, "tsconfig.json", "{\n  \"compilerOptions\": [\n}"),
			at: "tsconfig.json:3:1: ", text: "Unexpected",
		},
		{
			name: "no handler", files: files("index.js", "const a = 1"),
			at: "index.js: ", text: "it has no handler", hint: "export default { fetch(request)",
		},
		{
			name: "no handler in TypeScript", files: files("index.ts", "export const a: number = 1"),
			at: "index.ts: ", text: "it has no handler", hint: "function main(req, res)",
		},
		{name: "no entry", files: files("a.js", main), text: "no file is the entry", hint: "set entry"},
		{
			name: "broken package.json", files: files("index.js", main, "package.json", "[1"),
			at: "package.json: ", text: "not a JSON object",
		},
		{
			name:  "a name that an import lacks",
			files: files("index.js", "import { b } from './a'\nb()"+main, "a.js", "export const a = 1"),
			at:    "index.js:1:10: ", text: `No matching export in "a.js" for import "b"`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			target := row.target
			if target == (Target{}) {
				target = node24
			}
			message := faultsOf(t, Input{Target: target, Files: row.files})[0]
			if !strings.HasPrefix(message.String(), row.at) || !strings.Contains(message.Text, row.text) ||
				!strings.Contains(message.Hint, row.hint) || row.source != "" && message.LineText != row.source {
				t.Errorf("%s, source %q", message, message.LineText)
			}
		})
	}
}

func TestTheEntryThatIsAskedForMustBeThere(t *testing.T) {
	in := Input{Target: node24, Entry: "src/none.ts", Files: files("index.ts", "export const main = () => 1")}
	if message := faultsOf(t, in)[0]; !strings.Contains(message.Text, `the entry "src/none.ts" is not among the files`) {
		t.Error(message)
	}
}

func TestWhatNewerRuntimesHaveIsLeftToThem(t *testing.T) {
	const code = `export const main = () => String(10n) + /(?<a>\p{L})/u.exec('x').groups.a + /[[a-z]--b]/v`
	if out := build(t, Input{Target: node24, Files: files("index.js", code)}); len(out.Warnings) > 0 {
		t.Error(out.Warnings)
	}
}
