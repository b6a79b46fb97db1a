package bundle

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// loaders say what files are by their extension, beside the languages that esbuild knows by itself.
var loaders = map[string]api.Loader{
	".txt": api.LoaderText, ".md": api.LoaderText, ".html": api.LoaderText, ".htm": api.LoaderText,
	".css": api.LoaderText, ".sql": api.LoaderText, ".graphql": api.LoaderText, ".gql": api.LoaderText,
	".xml": api.LoaderText, ".svg": api.LoaderText, ".csv": api.LoaderText, ".yaml": api.LoaderText,
	".yml": api.LoaderText, ".pem": api.LoaderText, ".hbs": api.LoaderText, ".ejs": api.LoaderText,
	".mustache": api.LoaderText, ".tmpl": api.LoaderText,
	".wasm": api.LoaderBinary, ".bin": api.LoaderBinary, ".png": api.LoaderBinary, ".jpg": api.LoaderBinary,
	".gif": api.LoaderBinary, ".ico": api.LoaderBinary, ".pdf": api.LoaderBinary,
}

// scripts are the languages that an entry can be in.
var scripts = map[string]api.Loader{
	".js": api.LoaderJS, ".mjs": api.LoaderJS, ".cjs": api.LoaderJS, ".jsx": api.LoaderJSX,
	".ts": api.LoaderTS, ".mts": api.LoaderTS, ".cts": api.LoaderTS, ".tsx": api.LoaderTSX,
}

// levels makes esbuild tell what explain refuses.
var levels = map[string]api.LogLevel{
	"bigint": api.LogLevelWarning, "unsupported-regexp": api.LogLevelWarning,
	"empty-import-meta": api.LogLevelWarning, "unsupported-dynamic-import": api.LogLevelWarning,
}

// nodeVersion is the part of a version that esbuild takes.
var nodeVersion = regexp.MustCompile(`^v?((\d{1,4})(?:\.\d{1,4}){0,2})`)

// compile bundles a tree.
func compile(t *tree, head *Head) (*result, error) {
	packageJSON, _ := os.ReadFile(filepath.Join(t.root, "package.json")) // there may be none
	entry, err := chooseEntry(head.Entry, t.files, packageJSON)
	if err != nil {
		return nil, err
	}
	loader, ok := scripts[path.Ext(entry)]
	if !ok {
		return nil, faultIn(entry, "the entry is no JavaScript or TypeScript", "name it .js, .mjs, .cjs, .jsx, .ts or .tsx")
	}
	text, err := os.ReadFile(filepath.Join(t.root, entry))
	if err != nil {
		return nil, err
	}
	found := findHandler(string(text), loader)
	if found.none {
		return nil, faultIn(entry, "it has no handler", "write it as one of: "+forms)
	}
	options, err := t.options(head, entry)
	if err != nil {
		return nil, err
	}
	appended := api.OnLoadResult{Loader: loader, ResolveDir: filepath.Dir(filepath.Join(t.root, entry))}
	if found.export != "" {
		whole := string(text) + found.export
		appended.Contents = &whole
	}
	options.Plugins = []api.Plugin{t.plugin(head, entry, &appended)}
	built := api.Build(options)
	told := explainer{t, head.Target}
	warnings, faults := told.all(built.Errors, built.Warnings)
	if len(faults) > 0 {
		return nil, &faultError{faults}
	}
	warnings = append(t.warnings, warnings...)
	return collect(t, &built, warnings[:min(len(warnings), maxMessages)], found.web)
}

// options are those of the build but for its plugins.
func (t *tree) options(head *Head, entry string) (api.BuildOptions, error) {
	version := nodeVersion.FindStringSubmatch(head.Target.Node)
	if version == nil {
		return api.BuildOptions{}, fmt.Errorf("request: %q is no version of Node.js", head.Target.Node)
	}
	major, err := strconv.Atoi(version[2])
	if err != nil {
		return api.BuildOptions{}, fmt.Errorf("request: Node.js %s: %w", version[1], err)
	}
	var banner map[string]string
	if major < 12 {
		banner = map[string]string{"js": globalThis}
	}
	return api.BuildOptions{
		EntryPoints: []string{filepath.Join(t.root, entry)}, AbsWorkingDir: t.root,
		Outfile: filepath.Join(t.root, outfile), Write: false, Bundle: true,
		Platform: api.PlatformNode, Format: api.FormatCommonJS, Charset: api.CharsetUTF8,
		// esbuild counts a feature only when the newest Unicode is complete.
		Supported: map[string]bool{"regexp-unicode-property-escapes": major >= 10, "regexp-set-notation": major >= 20},
		Engines:   []api.Engine{{Name: api.EngineNode, Version: version[1]}},
		Sourcemap: api.SourceMapExternal, SourcesContent: api.SourcesContentExclude, LegalComments: api.LegalCommentsNone,
		Banner: banner, Loader: loaders, LogLevel: api.LogLevelSilent, LogOverride: levels,
	}, nil
}

// globalThis declares what packages expect and Node.js has from version 12 on.
const globalThis = `var globalThis = Function("return this")();`

// outfile is where the bundle would be written.
const outfile = "bundle.js"

// maxSources is how many files a source map names at most. Those who read source maps read no more.
const maxSources = 1 << 16

// collect takes what esbuild has made.
func collect(t *tree, built *api.BuildResult, warnings []Message, web bool) (*result, error) {
	r := &result{warnings: warnings, web: web}
	for _, file := range built.OutputFiles {
		switch strings.TrimPrefix(file.Path, t.root+"/") {
		case outfile:
			r.code = file.Contents
		case outfile + ".map":
			r.sourceMap = file.Contents
		}
	}
	if r.code == nil {
		return nil, fmt.Errorf("esbuild has made nothing of %d files", len(t.files))
	}
	return r, r.tidyMap()
}

// tidyMap keeps the source map within the upload, whatever source maps in the upload say, and makes it small.
func (r *result) tidyMap() error {
	var parts struct {
		Version  int             `json:"version"`
		Sources  []string        `json:"sources"`
		Names    json.RawMessage `json:"names"`
		Mappings json.RawMessage `json:"mappings"`
	}
	if err := json.Unmarshal(r.sourceMap, &parts); err != nil {
		return fmt.Errorf("source map: %w", err)
	}
	if len(parts.Sources) > maxSources {
		return tooLargeError(fmt.Sprintf("its source map names more than %d files", maxSources))
	}
	for i, name := range parts.Sources {
		parts.Sources[i] = strings.TrimPrefix(path.Clean("/"+name), "/")
	}
	var err error
	r.sourceMap, err = json.Marshal(&parts)
	return err
}
