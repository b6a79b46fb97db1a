package build

import (
	"slices"
	"strings"
	"testing"
)

func TestPackagesAndSharedModulesAreBundled(t *testing.T) {
	in := Input{
		Target: node8,
		Files: files(
			"src/index.ts", `import { twice } from '@lib/twice'
import nested from 'outer'
import { greet } from '@team/greet'
import text from './note.txt'
import data from './data.json'
import lodash from 'lodash'
export default async function (req: any) {
	const late = await import('./late')
	return [greet(req.name), twice(2), nested(), text, data.answer, late.x, lodash.name].join(' ')
}`,
			"src/lib/twice.ts", `export const twice = (n: number) => n ** 2 ?? 0`,
			"src/note.txt", "note", "src/data.json", `{"answer":42}`,
			"src/late.js", `export const x = globalThis.y?.z ?? 'late'`,
			"tsconfig.json", `{"compilerOptions":{"baseUrl":".","paths":{"@lib/*":["src/lib/*"]}}}`,
			"package.json", `{"main":"src/index"}`,
		),
		Packages: []Package{
			packageOf(t, "outer",
				entry{name: "package/package.json", content: `{"exports":{"require":"./no.js","import":"./index.mjs"}}`},
				entry{name: "package/index.mjs", content: `import inner from 'inner'; export default () => 'outer ' + inner`},
				entry{name: "package/no.js", content: `throw 1`}, entry{name: "package/index.d.ts", content: `x`}),
			packageOf(t, "outer/node_modules/inner", entry{name: "inner-1.0/index.js", content: `module.exports = 'own inner'`}),
			packageOf(t, "inner", entry{name: "package/index.js", content: `module.exports = 'other inner'`}),
		},
		Modules: []Module{{
			Name:  "@team/greet",
			Files: files("index.ts", `import p from 'punctuation'; export const greet = (n: string) => 'hello ' + n + p`),
			Packages: []Package{packageOf(t, "punctuation", entry{
				name: "package/index.js", content: `exports.default = '!'; exports.__esModule = true`,
			})},
		}},
		External: []string{"lodash"},
	}
	out := build(t, in)
	code := strings.Replace(string(out.Code), `require("lodash")`, `{ name: 'runtime lodash' }`, 1)
	if got := call(t, []byte(code)); got != "hello Joe! 4 outer own inner note 42 late runtime lodash" {
		t.Errorf("%q\n%s", got, code)
	}
	for _, source := range []string{
		"src/index.ts", "src/lib/twice.ts", "node_modules/outer/index.mjs", "node_modules/@team/greet/index.ts",
	} {
		if !strings.Contains(string(out.Map), `"`+source+`"`) {
			t.Errorf("the source map lacks %s", source)
		}
	}
	// What the upload brings itself is not left to the runtime.
	own := entry{name: "package/index.js", content: `exports.name = 'own lodash'`}
	in.Packages = append(in.Packages, packageOf(t, "lodash", own))
	if got := call(t, build(t, in).Code); !strings.HasSuffix(got, "own lodash") {
		t.Error(got)
	}
}

func TestFaultsInPackagesAreTold(t *testing.T) {
	in := Input{
		Target: node8, Files: files("index.js", `import x from 'big'; export const main = () => x`),
		Packages: []Package{packageOf(t, "big", entry{name: "package/index.js", content: "\nmodule.exports = 10n"})},
	}
	message := faultsOf(t, in)[0]
	if !strings.HasPrefix(message.String(), "node_modules/big/index.js:2:18: BigInt") ||
		!strings.Contains(message.Hint, "node24") {
		t.Error(message)
	}
	guarded := entry{name: "package/index.js", content: "module.exports = s => /(?<a>x)/.exec(s)"}
	in.Packages[0] = packageOf(t, "big", guarded)
	warnings := build(t, in).Warnings
	if !slices.ContainsFunc(warnings, func(m Message) bool { return m.File == "node_modules/big/index.js" }) {
		t.Error(warnings)
	}
}

func TestBuiltInModulesAreLeftToNode(t *testing.T) {
	code := build(t, Input{Target: node8, Files: files("index.js", `
import { format } from 'node:util'
const { EOL } = require('os')
export const main = r => format('%s', r.name) + EOL.length`)}).Code
	if got := call(t, code); got != "Joe1" {
		t.Errorf("%q", got)
	}
}
