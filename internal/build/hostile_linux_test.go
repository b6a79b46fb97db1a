package build

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/build/bundle"
	"github.com/backstage/functions/sandbox"
)

const handlerText = "\nexport function main() { return 'fine' }\n"

// entry is one of a tarball, or as many as times says.
type entry struct {
	name, content, link string
	kind                byte
	times               int
}

// tarballOf writes a package's tarball and returns its path.
func tarballOf(t testing.TB, entries ...entry) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "package.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := gzip.NewWriterLevel(file, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewWriter(zipped)
	for _, e := range entries {
		for i := range max(e.times, 1) {
			name := e.name
			if e.times > 1 {
				name = fmt.Sprintf(e.name, i)
			}
			writeEntry(t, archive, name, e)
		}
	}
	for _, c := range []interface{ Close() error }{archive, zipped, file} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return file.Name()
}

func writeEntry(t testing.TB, archive *tar.Writer, name string, e entry) {
	t.Helper()
	header := tar.Header{
		Name: name, Size: int64(len(e.content)), Mode: 0o644, Typeflag: cmp.Or(e.kind, tar.TypeReg), Linkname: e.link,
	}
	if err := archive.WriteHeader(&header); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write([]byte(e.content)); err != nil {
		t.Fatal(err)
	}
}

// bomb is a tarball with a file of so many MiB of nothing: the same MiB, compressed once, again and again.
func bomb(t testing.TB, name string, size int) Package {
	t.Helper()
	zip := func(write func(w io.Writer) error) []byte {
		var out bytes.Buffer
		zipped := gzip.NewWriter(&out)
		if err := errors.Join(write(zipped), zipped.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	whole := zip(func(w io.Writer) error {
		header := tar.Header{Name: name, Size: int64(size) << 20, Mode: 0o644, Typeflag: tar.TypeReg}
		return tar.NewWriter(w).WriteHeader(&header)
	})
	part := zip(func(w io.Writer) error {
		_, err := w.Write(make([]byte, 1<<20))
		return err
	})
	return Package{
		Path: "node_modules/bomb", Name: "bomb", Version: "1.0.0",
		Tarball: plainFile(t, string(whole)+strings.Repeat(string(part), size)),
	}
}

func packageOf(t testing.TB, name string, entries ...entry) Package {
	t.Helper()
	return Package{Path: "node_modules/" + name, Name: name, Version: "1.0.0", Tarball: tarballOf(t, entries...)}
}

// hostile are inputs that are made to hurt whoever builds them. Each ends as the author's fault.
func hostile(t *testing.T) map[string]Input {
	t.Helper()
	repeat := strings.Repeat
	use := func(p Package) Input {
		const code = "import bomb from 'bomb'; console.log(bomb)" + handlerText
		return Input{Files: files("index.js", code), Packages: []Package{p}}
	}
	of := func(e entry) Input { return use(packageOf(t, "bomb", e)) }
	at := func(path, tarball string) Input {
		return use(Package{Path: path, Name: "bomb", Version: "1", Tarball: tarball})
	}
	code := func(text string) Input { return Input{Files: files("index.js", text+handlerText)} }
	all := map[string]Input{
		"parentheses": code(repeat("(", 512<<10)),
		"templates":   code(repeat("`${", 256<<10)),
		"arrows":      code(repeat("a=>", 512<<10) + "1"),
		"functions":   code(repeat("function a(){", 256<<10)),
		"classes":     code(repeat("class A{a=", 256<<10)),
		"types":       {Files: files("index.ts", "type A = "+repeat("Array<", 256<<10)+handlerText)},
		"JSX":         {Files: files("index.tsx", "const a = "+repeat("<a>", 256<<10)+handlerText)},
		"JSON": {Files: files("index.js", "import a from './a.json'; console.log(a)"+handlerText,
			"a.json", repeat("[", 2<<20))},
		"package.json": {Files: files("index.js", "import 'a'"+handlerText,
			"node_modules/a/package.json", repeat(`{"exports":`, 512<<10))},
		"own package.json": {Files: files("index.js", handlerText, "package.json", repeat(`{"main":`, 512<<10))},
		"tsconfig": {Files: files("index.ts", handlerText,
			"tsconfig.json", repeat(`{"compilerOptions":`, 512<<10))},
		"names that lead out": {Files: files("index.js", handlerText, "../out.js", "1")},
		"absolute names":      {Files: files("index.js", handlerText, "/out.js", "1")},
		"file and directory":  {Files: files("index.js", handlerText, "a", "1", "a/b", "1")},
		"long names":          {Files: files("index.js", handlerText, repeat("a", 300)+".js", "1")},

		"symlink":               of(entry{name: "package/index.js", kind: tar.TypeSymlink, link: "/etc/passwd"}),
		"hard link":             of(entry{name: "package/index.js", kind: tar.TypeLink, link: "../../../etc/passwd"}),
		"device":                of(entry{name: "package/index.js", kind: tar.TypeChar}),
		"fifo":                  of(entry{name: "package/index.js", kind: tar.TypeFifo}),
		"dots":                  of(entry{name: "package/../../../index.js", content: "1"}),
		"absolute path":         of(entry{name: "/package//etc/x.js", content: "1"}),
		"backslashes":           of(entry{name: `package/..\..\x.js`, content: "1"}),
		"deep directories":      of(entry{name: "package/" + repeat("a/", 100) + "x.js", content: "1"}),
		"100,000 files":         of(entry{name: "package/%d.js", content: "1", times: 100_000}),
		"a zip bomb":            use(bomb(t, "package/a.txt", 400)),
		"a zip bomb of code":    use(bomb(t, "package/index.js", 60)),
		"no tarball":            at("node_modules/bomb", plainFile(t, "this is no gzip")),
		"half a tarball":        at("node_modules/bomb", half(t)),
		"a path that leads out": at("node_modules/../../bomb", tarballOf(t, entry{name: "package/a.js", content: "1"})),
		"exports that lead in circles": use(packageOf(t, "bomb", entry{
			name: "package/package.json", content: `{"name":"bomb","exports":{".":"bomb","./*":"./*/*"}}`,
		})),
		"exports that lead out": use(packageOf(t, "bomb", entry{
			name: "package/package.json", content: `{"name":"bomb","exports":"./../../index.js"}`,
		})),
	}
	return all
}

func plainFile(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func half(t *testing.T) string {
	t.Helper()
	code := strings.Repeat("module.exports = 1;\n", 1000)
	whole, err := os.ReadFile(tarballOf(t, entry{name: "package/index.js", content: code}))
	if err != nil {
		t.Fatal(err)
	}
	return plainFile(t, string(whole[:len(whole)/2]))
}

func TestHostileInputIsTheAuthorsFault(t *testing.T) {
	p := pool(t)
	for name, in := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in.Target = node24
			out, err := p.Build(t.Context(), in)
			var fault *Error
			if !errors.As(err, &fault) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("%v, %d bytes of code", err, len(out.Code))
			}
			t.Logf("%.200s", err)
		})
	}
}

func TestABuildAfterABombIsAsEver(t *testing.T) {
	faultsOf(t, Input{Target: node24, Files: files("index.js", strings.Repeat("(", 512<<10)+handlerText)})
	out := build(t, Input{Target: node8, Files: files("index.js", handlerText)})
	if got := call(t, out.Code); got != "fine" {
		t.Error(got)
	}
}

// Such input may be built or refused.
func TestHardInputEndsWithinTheLimits(t *testing.T) {
	repeat := strings.Repeat
	cyclic := func(n int) Input {
		in := Input{Files: files("index.js", "import 'p0'"+handlerText)}
		for i := range n {
			in.Packages = append(in.Packages, packageOf(t, fmt.Sprintf("p%d", i), entry{
				name: "package/index.js", content: fmt.Sprintf("export * from 'p%d'; export const x%d = 1", (i+1)%n, i),
			}))
		}
		return in
	}
	globs := files("index.js", "export const main = x => import(`./${x}/**/${x}/*${x}.js`)")
	for i := range 500 {
		globs[fmt.Sprintf("d%d/%s/%d.js", i%20, repeat("a/", i%30), i)] = []byte("1")
	}
	for name, in := range map[string]Input{
		"cyclic packages":    cyclic(50),
		"globs":              {Files: globs},
		"else if":            {Files: files("index.js", repeat("if(a)b();else ", 64<<10)+"c()"+handlerText)},
		"a long line":        {Files: files("index.js", "const a='"+repeat("x", 4<<20)+"'"+handlerText)},
		"additions":          {Files: files("index.js", "const a="+repeat("1+", 512<<10)+"1"+handlerText)},
		"regular expression": {Files: files("index.js", "const a=/"+repeat("(", 1<<20)+repeat(")", 1<<20)+"/"+handlerText)},
		"sideEffects": {
			Files: files("index.js", "import 'side'"+handlerText), Packages: []Package{packageOf(t, "side", entry{
				name: "package/package.json", content: `{"main":"a.js","sideEffects":["` + repeat("*", 20_000) + `x"]}`,
			}, entry{name: "package/" + repeat("a", 200) + ".js", content: "1"}, entry{name: "package/a.js", content: "1"})},
		},
		"a source map in the input": {Files: files("index.js", handlerText+
			`//# sourceMappingURL=data:application/json,{"version":3,"sources":["../../../etc/passwd"],"names":[],`+
			`"mappings":"AAAA,AAAA"}`)},
		"a source map that is none": {Files: files("index.js", handlerText+"//# sourceMappingURL=../../../etc/passwd\n")},
		"tsconfig that leads out": {Files: files("index.ts", handlerText, "tsconfig.json",
			`{"extends":"../../../../../../etc/passwd","compilerOptions":{"paths":{"*":["../../../../*"]}}}`)},
		"tsconfig of itself": {Files: files("index.ts", handlerText, "tsconfig.json", `{"extends":"./tsconfig.json"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in.Target = node24
			out, err := pool(t).Build(t.Context(), in)
			var fault *Error
			if err != nil && !errors.As(err, &fault) && !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrTimeout) {
				t.Fatal(err)
			}
			if strings.Contains(string(out.Map), "..") || err != nil && strings.Contains(err.Error(), "root:") {
				t.Errorf("%.1000s %v", out.Map, err)
			}
			t.Logf("%d bytes, %.200v", len(out.Code), err)
		})
	}
}

func TestABuildEndsAtItsTime(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Isolation, cfg.Timeout, cfg.program = sandbox.IsolationNone, time.Second, child
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	in := Input{Target: node24, Files: files("index.js", strings.Repeat("var a=1\n", 128<<10)+handlerText)}
	_, err = p.Build(t.Context(), in)
	if !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "1s of processor time") {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestBuildsBeyondTheQueueAreRefused(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Isolation, cfg.Concurrency, cfg.Queue = sandbox.IsolationNone, 1, 1
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // as if a build were under way, and one waited
		if _, err := p.queue.join("another"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Build(t.Context(), Input{}); !errors.Is(err, ErrBusy) {
		t.Errorf("beyond the queue: %v", err)
	}
	p.queue.waiting = nil
	gone := errors.New("the caller has gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, err := p.Build(ctx, Input{}); !errors.Is(err, gone) {
		t.Errorf("a caller that has gone gets %v", err)
	}
	p.cfg.QueueTimeout = 1
	if _, err := p.Build(t.Context(), Input{}); !errors.Is(err, ErrBusy) {
		t.Errorf("after the longest wait: %v", err)
	}
	if err := errors.Join(p.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	if _, err := p.Build(t.Context(), Input{}); err == nil {
		t.Error("a closed pool builds")
	}
}

// FuzzAnswer reads what a child might say: whatever it is, it is an error or fits.
func FuzzAnswer(f *testing.F) {
	for _, head := range []bundle.Answer{
		{Code: 3, Map: 2}, {Code: -1, Map: 6}, {Code: 1 << 40}, {TooLarge: "x"}, {Errors: []Message{{Text: "x"}}},
	} {
		text, err := bundle.AppendHead(nil, &head)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(text, "12345"...))
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	p := &Pool{cfg: DefaultConfig()}
	f.Fuzz(func(t *testing.T, stdout []byte) {
		out, err := p.read(stdout)
		if err == nil && len(out.Code)+len(out.Map)+4 > len(stdout) {
			t.Errorf("%d bytes of code and %d of a map from %d", len(out.Code), len(out.Map), len(stdout))
		}
	})
}
