package bundle

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// plugin keeps a build within its tree, leaves modules of the runtime to it, and adds an export to the entry that needs
// one.
func (t *tree) plugin(head *Head, entry string, appended *api.OnLoadResult) api.Plugin {
	return api.Plugin{Name: "functions", Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: `.*`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			if args.Kind == api.ResolveEntryPoint {
				return api.OnResolveResult{}, nil
			}
			dir, err := filepath.Rel(t.root, args.ResolveDir)
			if err != nil || importEscapes(dir, args.Path) {
				return api.OnResolveResult{}, fmt.Errorf("%w: %q", errLeadsOut, args.Path)
			}
			if slices.Contains(head.External, args.Path) && !t.brings(args.Path) {
				return api.OnResolveResult{Path: args.Path, External: true}, nil
			}
			return api.OnResolveResult{}, nil
		})
		build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: "file"}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			name, err := filepath.Rel(t.root, args.Path)
			switch {
			case err != nil || !filepath.IsLocal(name):
				return api.OnLoadResult{}, errOutside
			case name == entry && appended.Contents != nil:
				return withoutMap(*appended), nil
			}
			return load(args)
		})
	}}
}

// mapComment is how a file says where its own source map is.
const mapComment = " sourceMappingURL="

// noMap is the comment of a file whose source map esbuild does not read, and warns nobody of: the last one counts, and
// it reads no URL of another scheme.
const noMap = "//#" + mapComment + "none:"

// withoutMap is file without a source map of its own. What that says is not checked by anybody: it can name any file
// of the upload, thousands of times. And places are to lead to the files that were deployed.
func withoutMap(file api.OnLoadResult) api.OnLoadResult {
	if strings.Contains(*file.Contents, mapComment) {
		whole := strings.TrimSuffix(*file.Contents, "\n") + "\n" + noMap
		file.Contents = &whole
	}
	return file
}

// load reads a script that has a source map of its own. Others, and scripts imported as texts, are left to esbuild.
func load(args api.OnLoadArgs) (api.OnLoadResult, error) {
	if _, ok := scripts[path.Ext(args.Path)]; !ok || len(args.With) > 0 {
		return api.OnLoadResult{}, nil
	}
	text, err := os.ReadFile(args.Path)
	if err != nil || !bytes.Contains(text, []byte(mapComment)) {
		return api.OnLoadResult{}, nil //nolint:nilerr // esbuild tells of a file that cannot be read
	}
	content := string(text)
	return withoutMap(api.OnLoadResult{
		Contents: &content, Loader: api.LoaderDefault, ResolveDir: filepath.Dir(args.Path),
	}), nil
}

// brings says whether the upload has a package of its own for a module of the runtime.
func (t *tree) brings(name string) bool {
	parts := strings.SplitN(name, "/", 3)
	dir := parts[0]
	if strings.HasPrefix(name, "@") && len(parts) > 1 {
		dir = path.Join(parts[0], parts[1])
	}
	return t.exists(path.Join("node_modules", dir))
}
