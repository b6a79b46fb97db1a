package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// moduleVersions are the versions of the modules beside the runner, by name. One whose version cannot be found, such as a
// module of Node.js itself, is left out.
func moduleVersions(runner string, modules []string) map[string]string {
	versions := map[string]string{}
	for _, name := range modules {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(runner), "node_modules", packageOf(name), "package.json"))
		if err != nil {
			continue
		}
		var info struct{ Version string }
		if json.Unmarshal(text, &info) == nil && info.Version != "" {
			versions[name] = info.Version
		}
	}
	return versions
}

// packageOf is the package that a module is a file of: "lodash" of "lodash/fp", "@a/b" of "@a/b/c".
func packageOf(module string) string {
	parts := strings.SplitN(module, "/", 3)
	if strings.HasPrefix(module, "@") && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}
