package build

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// bare is a pool whose builds have the rights of the server: nothing but the build itself keeps them in their files.
func bare(t *testing.T) *Pool {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Isolation, cfg.program = sandbox.IsolationNone, child
	if child == "" {
		cfg.Memory = 2 << 30
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

const secret = "keyOfTheAdmin"

// outcome is all that an author learns from a build; lines are shortened at a place that depends on the author's path.
func outcome(t *testing.T, p *Pool, in Input) string {
	t.Helper()
	in.Target = node24
	out, err := p.Build(t.Context(), in)
	if fault := (*Error)(nil); errors.As(err, &fault) {
		for i, message := range fault.Messages {
			if !strings.Contains(message.LineText, secret) {
				fault.Messages[i].LineText = ""
			}
		}
		text, err := json.Marshal(fault.Messages)
		if err != nil {
			t.Fatal(err)
		}
		return "fault " + string(text)
	}
	if err != nil {
		return "error " + err.Error()
	}
	text, err := json.Marshal(out.Warnings)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("code %s, map %s, warnings %s", out.Code, out.Map, text)
}

// TestFilesOfTheHostAreOutOfReach builds each input twice: once with a path to files of the host that are there, once
// with one to none. What the author learns must be the same, and nothing of the files.
func TestFilesOfTheHostAreOutOfReach(t *testing.T) {
	there := t.TempDir()
	missing := filepath.Join(filepath.Dir(there), strings.Repeat("9", len(filepath.Base(there))))
	for name, text := range map[string]string{
		"a.key": secret, "a.js": "module.exports = '" + secret + "'", "a.json": `{"compilerOptions":` + secret + "}",
		"a.map": `{"version":3,"sources":["` + secret + `"],"names":[],"mappings":"AAAA"}`,
	} {
		if err := os.WriteFile(filepath.Join(there, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const use = "import x from 'x'; console.log(x)" + handlerText
	p := bare(t)
	for name, build := range map[string]func(host, up string) map[string][]byte{
		"import, absolute": func(host, _ string) map[string][]byte {
			return files("index.js", "import '"+host+"/a.js'"+handlerText)
		},
		"import, relative":     func(_, up string) map[string][]byte { return files("index.js", "import './"+up+"/a.js'"+handlerText) },
		"import, no extension": func(_, up string) map[string][]byte { return files("index.js", "import '"+up+"/a'"+handlerText) },
		"import, a query": func(_, up string) map[string][]byte {
			return files("index.js", "import './"+up+"/a.js?"+strings.Repeat("/a", 20)+"'"+handlerText)
		},
		"import, a subpath": func(_, up string) map[string][]byte {
			return files("index.js", "import 'x/"+up+"/a.js'"+handlerText, "node_modules/x/index.js", "1")
		},
		"require in try": func(host, _ string) map[string][]byte {
			return files("index.js", "try { require('"+host+"/a.js') } catch (e) {}"+handlerText)
		},
		"import in catch": func(_, up string) map[string][]byte {
			return files("index.js", "import('"+up+"/a.js').catch(() => 1)"+handlerText)
		},
		"import, a pattern": func(_, up string) map[string][]byte {
			return files("index.js", "export const main = n => import(`"+up+"/${n}.js`)")
		},
		"require, a pattern": func(_, up string) map[string][]byte {
			return files("index.js", "exports.main = n => require('"+up+"/' + n)")
		},
		"import in a package": func(host, _ string) map[string][]byte {
			return files("index.js", use, "node_modules/x/index.js", "require('"+host+"/a.js')")
		},
		"main": func(_, up string) map[string][]byte {
			return files("index.js", use, "node_modules/x/index.js", "1",
				"node_modules/x/package.json", `{"main":"`+up+`/a.js"}`)
		},
		"module, escaped letters": func(_, up string) map[string][]byte {
			return files("index.js", use, "node_modules/x/index.js", "1", "node_modules/x/package.json",
				`{"module":"`+strings.ReplaceAll(up, ".", `\u002e`)+`/a.js"}`)
		},
		"exports, encoded": func(_, up string) map[string][]byte {
			return files("index.js", use, "node_modules/x/package.json",
				`{"exports":"./`+strings.ReplaceAll(up, ".", "%2e")+`/a.js"}`)
		},
		"imports": func(_, up string) map[string][]byte {
			return files("index.js", "import '#a'"+handlerText, "package.json", `{"imports":{"#a":"x/`+up+`/a.js"}}`)
		},
		"source map": func(host, _ string) map[string][]byte {
			return files("index.js", handlerText+"//# sourceMappingURL="+host+"/a.map\n")
		},
		"source map, no JSON": func(_, up string) map[string][]byte {
			return files("index.js", handlerText+"//# sourceMappingURL="+up+"/a.key\n")
		},
		"source map, URL": func(host, _ string) map[string][]byte {
			return files("index.js", handlerText+"//# sourceMappingURL=file://"+host+"/a.map\n")
		},
		"extends, absolute": func(host, _ string) map[string][]byte { return tsconfig(`{"extends":"` + host + `/a.key"}`) },
		"extends, relative": func(_, up string) map[string][]byte { return tsconfig(`{"extends":"` + up + `/a.json"}`) },
		"extends, a list": func(host, _ string) map[string][]byte {
			return tsconfig("{ // comment\n \"extends\": [\"" + host + `/a", ], }`)
		},
		"extends, twice": func(host, _ string) map[string][]byte {
			return tsconfig(`{"extends":"` + host + `/a.key","extends":"./b"}`)
		},
		"extends, escaped letters": func(host, _ string) map[string][]byte {
			return tsconfig(`{"\u0065xtends":"` + strings.ReplaceAll(host, "/", `\u002f`) + `/a.key"}`)
		},
		"extends, of another": func(host, _ string) map[string][]byte {
			return tsconfig(`{"extends":"./b"}`, "b.json", `{"extends":"`+host+`/a.key"}`)
		},
		"extends, of another without JSON in its name": func(host, _ string) map[string][]byte {
			return tsconfig(`{"extends":"./b.txt"}`, "b.txt", `{"extends":"`+host+`/a.key"}`)
		},
		"extends, of a package": func(host, _ string) map[string][]byte {
			return tsconfig(`{"extends":"x/b"}`, "node_modules/x/b.json", `{"extends":"`+host+`/a.key"}`)
		},
		"extends, up from a package": func(_, up string) map[string][]byte {
			return tsconfig(`{"extends":"x/` + up + `/a.key"}`)
		},
		"extends, a field of a package": func(_, up string) map[string][]byte {
			return tsconfig(`{"extends":"x"}`, "node_modules/x/package.json", `{"tsconfig":"`+up+`/a.key"}`)
		},
		"jsconfig": func(host, _ string) map[string][]byte {
			return files("index.js", handlerText, "lib/a.js", "1", "jsconfig.json", `{"extends":"`+host+`/a.key"}`)
		},
		"tsconfig of a directory": func(host, _ string) map[string][]byte {
			return files("index.js", "import './lib/a'"+handlerText, "lib/a.ts", "1",
				"lib/tsconfig.json", `{"extends":"`+host+`/a.key"}`)
		},
		"baseUrl": func(host, _ string) map[string][]byte {
			return tsconfig(`{"compilerOptions":{"baseUrl":"` + host + `"}}`)
		},
		"paths": func(_, up string) map[string][]byte {
			return tsconfig(`{"compilerOptions":{"paths":{"*":["./` + up + `/*"]}}}`)
		},
		"paths from configDir": func(_, up string) map[string][]byte {
			return tsconfig(`{"compilerOptions":{"paths":{"a":["${configDir}/` + up + `/a"]}}}`)
		},
		"rootDirs": func(host, _ string) map[string][]byte {
			return tsconfig(`{"compilerOptions":{"rootDirs":[".","` + host + `"]}}`)
		},
		"an import through paths": func(_, up string) map[string][]byte {
			return files("index.ts", "import 'k"+up+"/a.js'"+handlerText,
				"tsconfig.json", `{"compilerOptions":{"paths":{"k*":["./*"]}}}`)
		},
		"a tsconfig that is a string": func(host, _ string) map[string][]byte { return tsconfig(`"` + host + `/a.key"`) },
		"extends, an object": func(host, _ string) map[string][]byte {
			return tsconfig(`{"extends":{"a":"` + host + `/a.key"}}`)
		},
		"Plug'n'Play": func(_, up string) map[string][]byte {
			return files("index.js", use, ".pnp.data.json", `{"packageRegistryData":[[null,[[null,{"packageLocation":"./",`+
				`"packageDependencies":[["x","1"]]}]]],["x",[["1",{"packageLocation":"`+up+`/"}]]]]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			up := strings.Repeat("../", 20)
			got := outcome(t, p, Input{Files: build(there, up+there[1:])})
			none := outcome(t, p, Input{Files: build(missing, up+missing[1:])})
			if strings.ReplaceAll(got, filepath.Base(there), filepath.Base(missing)) != none {
				t.Errorf("there:\n%s\nmissing:\n%s", got, none)
			}
			if strings.Contains(got, secret) {
				t.Errorf("the author learns %s", got)
			}
			t.Logf("%.300s", got)
		})
	}
}

// tsconfig are files whose entry imports by a name that settings lead to.
func tsconfig(text string, more ...string) map[string][]byte {
	return files(append([]string{"index.ts", "try { require('a') } catch (e) {}" + handlerText, "tsconfig.json", text}, more...)...)
}

func TestSettingsWithinTheUploadCount(t *testing.T) {
	const code = "import { a } from '@/a'; export function main() { return a }"
	const options = `{"compilerOptions": {"baseUrl": "src", "paths": {"@/*": ["../lib/*"]}}}`
	for name, in := range map[string]map[string][]byte{
		"comments": files("tsconfig.json", "\xef\xbb\xbf// \"extends\": \"/etc/passwd\",\n"+
			`{"compilerOptions": {/* , */ "outDir": "/tmp/x", "paths": {"@/*": ["./lib/*",],},},}`),
		"a file":      files("tsconfig.json", `{"extends": "./conf/base"}`, "conf/base.json", `{"extends":"../b.txt"}`, "b.txt", options),
		"a directory": files("app/tsconfig.json", `{"extends": ".."}`, "tsconfig.json", options),
		"a package":   files("tsconfig.json", `{"extends": "@x/y/base"}`, "node_modules/@x/y/base.json", strings.ReplaceAll(strings.ReplaceAll(options, "../lib", "./lib"), `"src"`, `"../../.."`)),
		"exports": files("tsconfig.json", `{"extends": "y/base"}`, "node_modules/y/package.json",
			`{"exports":{"./base":"./c.json"}}`, "node_modules/y/c.json",
			strings.ReplaceAll(options, `"src"`, `"../../src"`)),
		"configDir": files("tsconfig.json", `{"extends": ["./c/base.json"]}`,
			"c/base.json", `{"compilerOptions": {"paths": {"@/*": ["${configDir}/lib/*"]}}}`),
	} {
		t.Run(name, func(t *testing.T) {
			in["lib/a.ts"], in["app/index.ts"] = []byte("export const a: string = 'fine'"), []byte(code)
			if got := call(t, build(t, Input{Target: node8, Entry: "app/index.ts", Files: in}).Code); got != "fine" {
				t.Error(got)
			}
		})
	}
	in := Input{Target: node8, Files: files("index.ts", handlerText, "tsconfig.json", "{\n \"extends\": \"@tsconfig/node8\"}")}
	if got := build(t, in).Warnings; len(got) != 1 || !strings.Contains(got[0].String(), "tsconfig.json:2:13: Cannot find base") {
		t.Error(got)
	}
}

func TestALongDefaultExportIsBuilt(t *testing.T) {
	code := "const wrap = x => () => 'fine'; export default wrap('" + strings.Repeat("x", 1_700_000) + "')"
	if got := call(t, build(t, Input{Target: node8, Files: files("index.js", code)}).Code); got != "fine" {
		t.Error(got)
	}
}
