package npm

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// sri is the integrity of a package made of some bytes.
var sri = made("a", "1.0.0", "bytes").integrity()

// lockText is a lock file with one package more than the project.
func lockText(path, entry string) string {
	return fmt.Sprintf(`{"lockfileVersion":3,"packages":{"":{},%q:%s}}`, path, entry)
}

func TestWhatALockFileMustNotHoldIsNamed(t *testing.T) {
	t.Parallel()
	good := `{"version":"1.0.0","integrity":"` + sri + `"}`
	with := func(fields string) string { return `{"version":"1.0.0","integrity":"` + sri + `",` + fields + `}` }
	for name, row := range map[string]struct{ text, want string }{
		"no JSON":             {`{"lockfileVersion":3`, "it is not a JSON object"},
		"an array":            {`[]`, "it is not a JSON object"},
		"empty":               {``, "it is not a JSON object"},
		"too deep":            {`{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, "at most 32 levels"},
		"version 1":           {`{"lockfileVersion":1,"dependencies":{}}`, "run \"npm install --lockfile-version=3\""},
		"version of text":     {`{"lockfileVersion":"3","packages":{}}`, "lockfileVersion is not a number"},
		"a later version":     {`{"lockfileVersion":4,"packages":{}}`, "lockfileVersion is 4"},
		"no packages":         {`{"lockfileVersion":3}`, "it has no object \"packages\""},
		"packages of a list":  {`{"lockfileVersion":3,"packages":[]}`, "it has no object \"packages\""},
		"twice":               {lockText("node_modules/a", good+`,"node_modules/a":`+good), "node_modules/a is there twice"},
		"no object":           {lockText("node_modules/a", `7`), "node_modules/a is not as npm writes it"},
		"a wrong type":        {lockText("node_modules/a", `{"version":7}`), "node_modules/a is not as npm writes it"},
		"os of numbers":       {lockText("node_modules/a", with(`"os":[7]`)), "os, cpu and libc must be texts"},
		"huge entry":          {lockText("node_modules/a", with(`"x":"`+strings.Repeat("x", maxEntry)+`"`)), "and 65536 are allowed"},
		"up":                  {lockText("../node_modules/a", good), "is not the path of a package"},
		"up within":           {lockText("node_modules/../../node_modules/a", good), "is not the path of a package"},
		"absolute":            {lockText("/node_modules/a", good), "is not the path of a package"},
		"dot as a name":       {lockText("node_modules/..", good), "is not the path of a package"},
		"hidden name":         {lockText("node_modules/.bin", good), "is not the path of a package"},
		"no scope":            {lockText("node_modules/@a", good), "is not the path of a package"},
		"a folder of one":     {lockText("node_modules/a/b", good), "is not the path of a package"},
		"backslash":           {lockText(`a\b/node_modules/a`, good), "is not the path of a package"},
		"NUL":                 {lockText("a\x00/node_modules/a", good), "it is not a JSON object"},
		"NUL escaped":         {`{"lockfileVersion":3,"packages":{"a\u0000/node_modules/a":` + good + `}}`, "is not the path of a package"},
		"a long path":         {lockText(strings.Repeat("node_modules/a/", 100)+"node_modules/a", good), "is not the path of a package"},
		"alias to elsewhere":  {lockText("node_modules/a", with(`"name":"../../x"`)), `has the name "../../x"`},
		"alias with a query":  {lockText("node_modules/a", with(`"name":"a?b"`)), `has the name "a?b"`},
		"a long name":         {lockText("node_modules/a", with(`"name":"`+strings.Repeat("a", 300)+`"`)), `which no package can have`},
		"no version":          {lockText("node_modules/a", `{"integrity":"`+sri+`"}`), `has the version "", which is none`},
		"a version of a path": {lockText("node_modules/a", `{"version":"1.0.0/../x","integrity":"`+sri+`"}`), `which is none`},
		"a range":             {lockText("node_modules/a", `{"version":"^1.0.0","integrity":"`+sri+`"}`), `has the version "^1.0.0"`},
		"no integrity":        {lockText("node_modules/a", `{"version":"1.0.0"}`), "has no integrity"},
		"sha1 alone":          {lockText("node_modules/a", `{"version":"1.0.0","integrity":"sha1-AAAA"}`), `and none of SHA-512`},
		"a short hash":        {lockText("node_modules/a", `{"version":"1.0.0","integrity":"sha512-AAAA"}`), `which is no SHA-512`},
		"no base64":           {lockText("node_modules/a", `{"version":"1.0.0","integrity":"sha512-*"}`), `which is no SHA-512`},
		"two hashes": {
			lockText("node_modules/a", `{"version":"1.0.0","integrity":"`+sri+` `+made("a", "1.0.0", "b").integrity()+`"}`),
			"has two integrities",
		},
		"git":      {lockText("node_modules/a", with(`"resolved":"git+ssh://git@host/a.git#0123"`)), "comes from git+ssh://git@host/a.git#0123"},
		"a file":   {lockText("node_modules/a", with(`"resolved":"file:../a.tgz"`)), "comes from file:../a.tgz"},
		"a folder": {lockText("node_modules/a", `{"resolved":"packages/a","link":true}`), "is a link to packages/a: import that folder by its path"},
		"an address": {
			`{"lockfileVersion":3,"packages":{"":{"dependencies":{"a":"https://host/a.tgz"}},"node_modules/a":` +
				with(`"resolved":"https://host/a.tgz"`) + `}}`,
			"comes from https://host/a.tgz: use a version that the registry has",
		},
		"another system": {lockText("node_modules/a", with(`"os":["darwin"]`)), "is not for linux x64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readLock(map[string][]byte{"package-lock.json": []byte(row.text)}, linux)
			wantOutcome(t, err, http.StatusBadRequest, "package-lock.json: ", row.want)
		})
	}
}

func TestFaultsOfALockFileAreSummedUp(t *testing.T) {
	t.Parallel()
	entries := map[string]any{}
	for i := range 500 {
		entries[fmt.Sprintf("node_modules/a%d", i)] = map[string]any{"version": strings.Repeat("x", 1000)}
	}
	_, err := readLock(lockOf(entries), linux)
	wantOutcome(t, err, http.StatusBadRequest, "; and 497 more")
}

func TestALockFileNamesNoMoreThanIsAllowed(t *testing.T) {
	t.Parallel()
	entries := map[string]any{}
	for i := range maxPackages + 1 {
		entries[fmt.Sprintf("node_modules/a%d", i)] = locked(made("a", "1.0.0", "bytes"))
	}
	_, err := readLock(lockOf(entries), linux)
	wantOutcome(t, err, http.StatusBadRequest, "it names 2001 packages, and 2000 are allowed")

	var text strings.Builder
	text.WriteString(`{"lockfileVersion":3,"packages":{"":{}`)
	for i := range maxEntries {
		fmt.Fprintf(&text, `,"node_modules/a%d":{"dev":true}`, i)
	}
	text.WriteString("}}")
	_, err = readLock(map[string][]byte{"package-lock.json": []byte(text.String())}, linux)
	wantOutcome(t, err, http.StatusBadRequest, "it names more than 20000 packages")

	_, err = readLock(map[string][]byte{"package-lock.json": make([]byte, maxLock+1)}, linux)
	wantOutcome(t, err, http.StatusBadRequest, "and 16777216 are allowed")
}

// TestWhatIsFetchedForALockFile is about entries that npm's own lock files of another test do not have.
func TestWhatIsFetchedForALockFile(t *testing.T) {
	t.Parallel()
	one := locked(made("a", "1.0.0", "bytes"))
	files := lockOf(map[string]any{
		"node_modules/a":                               one,
		"node_modules/dev":                             map[string]any{"dev": true, "resolved": "git+ssh://x"},
		"node_modules/linked-dev":                      map[string]any{"dev": true, "link": true},
		"node_modules/brought":                         one,
		"node_modules/brought/node_modules/within":     one,
		"node_modules/@s/brought":                      one,
		"node_modules/@s/other":                        one,
		"packages/x":                                   map[string]any{"name": "x"},
		"packages/x/node_modules/b":                    one,
		"node_modules/a/node_modules/@s/c":             one,
		"node_modules/odd":                             map[string]any{"version": "1.0.0", "integrity": "sha1-x " + sri + "?opt", "resolved": false},
		"node_modules/a/node_modules/brought":          one,
		"node_modules/optional-of-another":             map[string]any{"version": "1.0.0", "integrity": sri, "cpu": "arm64", "optional": true},
		"node_modules/a/node_modules/d/node_modules/e": one,
	})
	for _, name := range []string{
		"index.js", "node_modules/brought/index.js", "node_modules/@s/brought/lib/x.js", "node_modules/README",
		"my_node_modules/a/index.js",
	} {
		files[name] = nil
	}
	lock, err := readLock(files, linux)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range lock.packages {
		got = append(got, d.path)
	}
	slices.Sort(got)
	want := []string{
		"node_modules/@s/other", "node_modules/a", "node_modules/a/node_modules/@s/c",
		"node_modules/a/node_modules/brought", "node_modules/a/node_modules/d/node_modules/e", "node_modules/odd",
		"packages/x/node_modules/b",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

func TestTheShrinkwrapComesFirst(t *testing.T) {
	t.Parallel()
	files := lockOf(map[string]any{"node_modules/a": locked(made("a", "1.0.0", "bytes"))})
	maps.Copy(files, map[string][]byte{"npm-shrinkwrap.json": []byte(`{"lockfileVersion":2,"packages":{}}`)})
	lock, err := readLock(files, linux)
	if err != nil || lock.name != "npm-shrinkwrap.json" || len(lock.packages) > 0 {
		t.Errorf("got %+v, %v", lock, err)
	}
	if lock, err = readLock(map[string][]byte{"index.js": nil}, linux); err != nil || lock.name != "" {
		t.Errorf("without a lock file: %+v, %v", lock, err)
	}
}

func TestPackageJSONAndTheLockFileMustAgree(t *testing.T) {
	t.Parallel()
	for manifest, want := range map[string]string{
		`{"dependencies":{"a":"^1.0.0"},"devDependencies":{"b":"1"}}`:       "",
		`{"dependencies":{"a":"^1.0.0"},"optionalDependencies":{"b":"^1"}}`: "",
		`{`:                               "",
		`{"dependencies":{"a":"^2.0.0"}}`: "it does not have what package.json asks for (a ^2.0.0): run \"npm install\"",
		`{"dependencies":{"b":"1","c":"1","d":"1","e":"1"}}`: "(b 1, c 1, d 1, and 1 more)",
	} {
		files := lockOf(map[string]any{"": map[string]any{"dependencies": map[string]string{"a": "^1.0.0"}}})
		files["package.json"] = []byte(manifest)
		_, err := readLock(files, linux)
		if want == "" && err != nil {
			t.Errorf("%s: %v", manifest, err)
		} else if want != "" {
			wantOutcome(t, err, http.StatusBadRequest, want)
		}
	}
}

func TestPlatformsAreReadAsNpmReadsThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`[]`: true, `"any"`: true, `["any"]`: true, `"linux"`: true, `["darwin","linux"]`: true, `["!win32"]`: true,
		`["!win32","!darwin"]`: true, `"darwin"`: false, `["!linux"]`: false, `["linux","!linux"]`: false,
		`["darwin","!win32"]`: false,
	} {
		var l list
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if got := l.admit("linux"); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func FuzzReadLock(f *testing.F) {
	f.Add([]byte(lockText("node_modules/a", `{"version":"1.0.0","integrity":"`+sri+`","os":["linux"]}`)), "node_modules/b/c")
	f.Add([]byte(lockText("node_modules/@a/b/node_modules/c", `{"link":true,"resolved":"x"}`)), "node_modules/@b/c/d")
	f.Fuzz(func(t *testing.T, text []byte, name string) {
		lock, err := readLock(map[string][]byte{"package-lock.json": text, name: nil}, linux)
		if err != nil {
			wantOutcome(t, err, http.StatusBadRequest)
		}
		for _, d := range lock.packages {
			if strings.Contains("/"+d.path+"/", "/../") || strings.HasPrefix(d.path, "/") || strings.Contains(d.name, "..") ||
				len(d.sum) != 2*sha512Bytes {
				t.Errorf("got %+v", d)
			}
		}
	})
}
