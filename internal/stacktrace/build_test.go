package stacktrace

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// files are what an author deploys: the handler calls a function of another file, which calls one of a package.
var files = map[string]string{
	"index.ts": `import { order } from './lib/order'

interface Body { items?: string[] }

export async function main(req: { body: Body }, res: any) {
  await null
  console.log('ordered', order(req.body))
}
`,
	"lib/order.ts": `import { first } from 'items'

export const order = (body: { items?: string[] }): string => {
  const items: string[] = body.items as any
  return first(items)
}
`,
	"node_modules/items/index.js": `exports.first = function first(list) {
  return list[0];
};
`,
}

// built is the artefact of files, and its source map.
func built(tb testing.TB, change func(*api.BuildOptions)) (code, sourceMap []byte) {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	options := api.BuildOptions{
		AbsWorkingDir: dir, EntryPoints: []string{"index.ts"}, Outfile: filepath.Join(dir, "out.js"),
		Bundle: true, Platform: api.PlatformNode, Format: api.FormatCommonJS, Target: api.ES2017,
		Sourcemap: api.SourceMapExternal,
	}
	if change != nil {
		change(&options)
	}
	result := api.Build(options)
	if len(result.Errors) > 0 {
		tb.Fatalf("%+v", result.Errors)
	}
	return result.OutputFiles[1].Contents, result.OutputFiles[0].Contents
}

func parsed(tb testing.TB, text []byte) *Map {
	tb.Helper()
	m, err := Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}
