package bundle

import (
	"fmt"
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
		build.OnResolve(api.OnResolveOptions{Filter: `^[^./]`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			if args.Kind != api.ResolveEntryPoint && slices.Contains(head.External, args.Path) && !t.brings(args.Path) {
				return api.OnResolveResult{Path: args.Path, External: true}, nil
			}
			return api.OnResolveResult{}, nil
		})
		build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: "file"}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			name, err := filepath.Rel(t.root, args.Path)
			switch {
			case err != nil || !filepath.IsLocal(name):
				return api.OnLoadResult{}, fmt.Errorf("the file is not in the upload")
			case name == entry && appended.Contents != nil:
				return *appended, nil
			}
			return api.OnLoadResult{}, nil
		})
	}}
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
