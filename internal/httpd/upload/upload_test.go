package upload

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/body"
	"github.com/backstage/functions/internal/outcome"
)

const limit = 1 << 16

// archive is a tar archive of what write writes, compressed by gzip.
func archive(t testing.TB, write func(*tar.Writer)) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	write(w)
	if err := errors.Join(w.Flush(), w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func add(w *tar.Writer, name, text string) {
	_ = w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Typeflag: tar.TypeReg, Mode: 0o644})
	_, _ = w.Write([]byte(text))
}

func TestFilesOfAnObject(t *testing.T) {
	many := strings.Repeat(`"a":"",`, 2000)
	for value, want := range map[string]string{
		`{"index.ts":"a\n","lib/b.bin":{"base64":"AP8="}}`: "",
		`[]`:                         "instance.files is not of a type(s) object",
		`"index.ts"`:                 "instance.files is not of a type(s) object",
		`{}`:                         "instance.files has no file",
		`{"a":1}`:                    `instance.files["a"] is neither a string nor {"base64":"…"}`,
		`{"a":null}`:                 `instance.files["a"] is neither a string nor`,
		`{"a":{}}`:                   `instance.files["a"] is neither a string nor`,
		`{"a":{"base64":1}}`:         `instance.files["a"] is neither a string nor`,
		`{"a":{"base64":"","x":1}}`:  `instance.files["a"] is neither a string nor`,
		`{"a":{"base64":"*"}}`:       `instance.files["a"].base64 is not base64`,
		`{"../a":""}`:                `instance.files["../a"] has the part ".."`,
		`{"/etc/passwd":""}`:         `instance.files["/etc/passwd"] is absolute`,
		`{"a\u0000":""}`:             `has control characters`,
		`{"a":"1","a":"2"}`:          `instance.files["a"] is there twice`,
		`{"a":"1","a/b":"2"}`:        `instance.files["a"] is a file, and a folder with "a/b"`,
		`{` + many + `"b":""}`:       "is there twice",
		`{` + numbered(1001) + `}`:   "instance.files has 1001 files, 1000 are the most",
		`{` + numbered(20_000) + `}`: "instance.files has 1001 files, 1000 are the most",
		`{` + strings.Repeat(`"..":"",`, 5_000) + `"..":""}`: `has the part ".."`,
	} {
		files, faults, err := FromObject(json.RawMessage(value), limit)
		if err != nil || len(faults) > maxFaults {
			t.Errorf("%.80s: %d faults, %v", value, len(faults), err)
		}
		got := strings.Join(faults, "; ")
		if want == "" && (got != "" || string(files["index.ts"]) != "a\n" || string(files["lib/b.bin"]) != "\x00\xff") ||
			!strings.Contains(got, want) {
			t.Errorf("%.80s: %.200s, want %q; %.200q", value, got, want, files)
		}
	}
}

// numbered are members of an object: empty files.
func numbered(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, `"f%d":"",`, i)
	}
	return strings.TrimSuffix(out.String(), ",")
}

func TestFilesOfAnArchive(t *testing.T) {
	link := func(kind byte) func(*tar.Writer) {
		return func(w *tar.Writer) {
			_ = w.WriteHeader(&tar.Header{Name: "l", Typeflag: kind, Linkname: "/etc/passwd"})
		}
	}
	for name, row := range map[string]struct {
		write func(*tar.Writer)
		want  string
	}{
		"as tar makes them": {func(w *tar.Writer) {
			_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "c"}})
			_ = w.WriteHeader(&tar.Header{Name: "./", Typeflag: tar.TypeDir})
			add(w, "./index.ts", "a\n")
			_ = w.WriteHeader(&tar.Header{Name: "./lib/", Typeflag: tar.TypeDir})
			add(w, "lib/"+strings.Repeat("b", 200), "")
		}, ""},
		"none":                {func(*tar.Writer) {}, "the archive has no file"},
		"symbolic link":       {link(tar.TypeSymlink), `the file "l" of the archive is not a plain file: links`},
		"hard link":           {link(tar.TypeLink), "is not a plain file"},
		"device":              {link(tar.TypeBlock), "is not a plain file"},
		"pipe":                {link(tar.TypeFifo), "is not a plain file"},
		"above":               {func(w *tar.Writer) { add(w, "a/../../b", "") }, `has the part ".."`},
		"absolute":            {func(w *tar.Writer) { add(w, "/a", "") }, "is absolute"},
		"twice":               {func(w *tar.Writer) { add(w, "a", "1"); add(w, "./a", "2") }, "is there twice"},
		"file and folder":     {func(w *tar.Writer) { add(w, "a", "1"); add(w, "a/b", "2") }, "the archive[\"a\"] is a file"},
		"many":                {entries("f%d", 20_000, tar.TypeReg), "has 1001 files"},
		"many folders":        {entries("f%d/", 10_000, tar.TypeDir), "more than 4000 folders"},
		"many with no name":   {entries("..", 10_000, tar.TypeReg), `has the part ".."`},
		"one that is a file?": {func(w *tar.Writer) { add(w, "index.ts", "a\n") }, ""},
	} {
		files, faults, err := FromArchive(archive(t, row.write), limit, func(int) bool { return true })
		got := strings.Join(faults, "; ")
		if err != nil || row.want == "" && (got != "" || string(files["index.ts"]) != "a\n") || !strings.Contains(got, row.want) {
			t.Errorf("%s: %.200s, %v, want %q", name, got, err, row.want)
		}
	}
}

// entries writes many.
func entries(name string, n int, kind byte) func(*tar.Writer) {
	return func(w *tar.Writer) {
		for i := range n {
			full := name
			if strings.Contains(name, "%d") {
				full = fmt.Sprintf(name, i)
			}
			_ = w.WriteHeader(&tar.Header{Name: full, Typeflag: kind})
		}
	}
}

func TestUploadsThatAreTooLargeNameTheLimit(t *testing.T) {
	long := strings.Repeat("x", limit)
	zeros := bytes.Repeat([]byte{0}, 8<<20)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(archiveHead(t, "a", int64(len(zeros))))
	_, _ = z.Write(zeros)
	_ = z.Close()
	fits := archive(t, func(w *tar.Writer) { add(w, "a", long) })
	for name, err := range map[string]error{
		"an object":   second(FromObject(json.RawMessage(`{"a":"`+long+`","b":"1"}`), limit)),
		"bytes in it": second(FromObject(json.RawMessage(`{"a":{"base64":"`+strings.Repeat("AAAA", limit)+`"}}`), limit)),
		"an archive":  second(FromArchive(archive(t, func(w *tar.Writer) { add(w, "a", long); add(w, "b", "1") }), limit, nil)),
		"a bomb":      second(FromArchive(bomb.Bytes(), limit, nil)),
		"a bomb of links": second(FromArchive(archive(t, func(w *tar.Writer) {
			_ = w.WriteHeader(&tar.Header{
				Name: "l", Typeflag: tar.TypeReg, PAXRecords: map[string]string{"a.b": strings.Repeat("p", 500_000)},
			})
			for range 60 {
				_ = w.WriteHeader(&tar.Header{
					Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"a.b": strings.Repeat("p", 500_000)},
				})
			}
		}), limit, nil)),
	} {
		told, ok := errors.AsType[outcome.Teller](err)
		if !ok || told.Outcome().Status != 413 || !strings.Contains(err.Error(), "more than 64kb, which is CODE_LIMIT") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, faults, err := FromArchive(fits, limit, nil); err != nil || len(faults) > 0 {
		t.Errorf("what fits: %q, %v", faults, err)
	}
	if _, _, err := FromArchive(fits, limit, func(int) bool { return false }); !errors.Is(err, body.ErrNoRoom) {
		t.Errorf("without memory: %v", err)
	}
}

func second(_ map[string][]byte, _ []string, err error) error { return err }

// archiveHead is the header of a file.
func archiveHead(t *testing.T, name string, size int64) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := tar.NewWriter(&out).WriteHeader(&tar.Header{Name: name, Size: size, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWhatIsNoArchiveIsToldSo(t *testing.T) {
	whole := archive(t, func(w *tar.Writer) { add(w, "a", strings.Repeat("random", 999)) })
	var text bytes.Buffer
	z := gzip.NewWriter(&text)
	_, _ = z.Write(bytes.Repeat([]byte("no tar"), 1000))
	_ = z.Close()
	for name, packed := range map[string][]byte{
		"nothing": nil, "zip": []byte("PK\x03\x04"), "half": whole[:len(whole)/2], "gzip of text": text.Bytes(),
	} {
		_, _, err := FromArchive(packed, limit, nil)
		told, ok := errors.AsType[outcome.Teller](err)
		if !ok || told.Outcome().Status != 400 || !strings.Contains(err.Error(), "is not a tar archive that is compressed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzArchivesAreReadSafely(f *testing.F) {
	f.Add(archive(f, func(w *tar.Writer) { add(w, "a/b", "1"); add(w, "c", "") }))
	f.Fuzz(func(t *testing.T, packed []byte) {
		files, faults, err := FromArchive(packed, limit, nil)
		if err != nil || len(faults) > 0 {
			return
		}
		again, faults, err := FromArchive(archive(t, func(w *tar.Writer) {
			for path, content := range files {
				add(w, path, string(content))
			}
		}), limit, nil)
		if err != nil || len(faults) > 0 || !maps.EqualFunc(files, again, bytes.Equal) {
			t.Errorf("%q comes back as %q, %q, %v", files, again, faults, err)
		}
		for path := range files {
			if function.PathFault(path) != "" {
				t.Errorf("took %q", path)
			}
		}
	})
}
