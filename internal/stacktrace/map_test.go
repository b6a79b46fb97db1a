package stacktrace

import (
	"errors"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// placeOf is the line and the column at which part first stands in text, from 1.
func placeOf(tb testing.TB, text, part string) (line, column int) {
	tb.Helper()
	at := strings.Index(text, part)
	if at < 0 {
		tb.Fatalf("%q is not in\n%s", part, text)
	}
	before := text[:at]
	return 1 + strings.Count(before, "\n"), at - strings.LastIndexByte(before, '\n')
}

func TestPlacesAreThoseOfTheAuthor(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*api.BuildOptions)
		parts  map[string]string // of the artefact → the author's place
	}{
		{"as written", nil, map[string]string{
			"console.log(": "index.ts:7:3", "items = body": "lib/order.ts:4:9", "list[0]": "node_modules/items/index.js:2:10",
		}},
		{
			"minified",
			func(o *api.BuildOptions) { o.MinifyWhitespace = true },
			map[string]string{"console.log(": "index.ts:7:3", "list[0]": "node_modules/items/index.js:2:10"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, text := built(t, row.change)
			m := parsed(t, text)
			for part, want := range row.parts {
				place, ok := m.Place(placeOf(t, string(code), part))
				if !ok || place.String() != want {
					t.Errorf("%s: %v %v, want %s", part, place, ok, want)
				}
			}
		})
	}
}

func TestMapHasTheAuthorsText(t *testing.T) {
	_, text := built(t, nil)
	m := parsed(t, text)
	for name, want := range files {
		if got, ok := m.Source(name); !ok || got != want {
			t.Errorf("%s: %v %q", name, ok, got)
		}
	}
	if _, ok := m.Source("other.ts"); ok {
		t.Error("a file that is not there has a text")
	}
	if m.Bytes() < int64(len(files["index.ts"])) {
		t.Errorf("%d bytes", m.Bytes())
	}
}

func TestPlacesThatAreNotThereHaveNone(t *testing.T) {
	_, text := built(t, nil)
	m := parsed(t, text)
	for _, at := range [][2]int{{1, 1}, {1 << 30, 1}, {0, 0}, {-1, -1}, {1, 1 << 30}} {
		if place, ok := m.Place(at[0], at[1]); ok {
			t.Errorf("%v is %v", at, place)
		}
	}
}

// A source map in an author's file could name one large file thousands of times.
func TestTextsAreKeptOncePerFile(t *testing.T) {
	const sources, size = 2000, 1 << 10
	text := `{"version":3,"sources":["big.txt"` + strings.Repeat(`,"big.txt"`, sources-1) + `],"mappings":"AAAA"}`
	big := map[string][]byte{"big.txt": []byte(strings.Repeat("x", size)), "other.txt": make([]byte, size)}
	bare := parsed(t, []byte(text)).Bytes()
	m := parsed(t, []byte(text)).withTexts(big, bare+size)
	if got, ok := m.Source("big.txt"); !ok || got != string(big["big.txt"]) || m.Bytes() != bare+size {
		t.Errorf("%v, %d bytes, %d more", ok, len(got), m.Bytes()-bare)
	}
	within := parsed(t, []byte(text)).withTexts(big, bare+size-1)
	if _, ok := within.Source("big.txt"); ok || within.Bytes() != bare {
		t.Errorf("%d bytes beyond the limit", within.Bytes()-bare)
	}
	content := `{"version":3,"sources":["a","a","b"],"sourcesContent":["1234","1234"],"mappings":"AAAA"}`
	if got, want := parsed(t, []byte(content)).Bytes(), int64(mappingBytes+len("aab")+len("1234")); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
	if got, ok := m.renamed("ns/id.js").Source("ns/id.js"); !ok || got != string(big["big.txt"]) {
		t.Errorf("%v, %d bytes", ok, len(got))
	}
}

func TestAPanicOfAReaderIsAnError(t *testing.T) {
	m, err := recovered(func() (*Map, error) { panic("index out of range") })
	if m != nil || err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("%v, %v", m, err)
	}
}

// Whoever writes to the store may have changed a map. None of these may take the server down or long.
func TestDamagedMapsAreRefusedOrKnowNothing(t *testing.T) {
	for name, row := range map[string]struct {
		text     string
		tooLarge bool
		readable bool // it is a map, whose places lead nowhere
	}{
		"nothing":                      {text: ""},
		"no JSON":                      {text: "{"},
		"another version":              {text: `{"version":4,"sources":["a"],"mappings":"AAAA"}`},
		"no mappings":                  {text: `{"version":3,"sources":["a"]}`},
		"a section without map":        {text: `{"version":3,"sections":[{"offset":{"line":0,"column":0}}]}`},
		"nested sections":              {text: strings.Repeat(`{"sections":[`, 1000)},
		"sources of another type":      {text: `{"version":3,"sources":5,"mappings":"AAAA"}`},
		"a number without an end":      {text: `{"version":3,"sources":["a"],"mappings":"gggggggggg"}`},
		"characters that are no digit": {text: `{"version":3,"sources":["a"],"mappings":"\u0000\u0000\u0000\u0000"}`, readable: true},
		"a source that is not there":   {text: `{"version":3,"sources":["a"],"mappings":"AEAA"}`, readable: true},
		"a source below the first":     {text: `{"version":3,"sources":["a"],"mappings":"ADAA"}`, readable: true},
		"no sources":                   {text: `{"version":3,"sources":[],"mappings":"AAAA"}`, readable: true},
		"a line below the first":       {text: `{"version":3,"sources":["a"],"mappings":"AADA"}`, readable: true},
		"a huge line":                  {text: `{"version":3,"sources":["a"],"mappings":"AA+/////DA"}`, readable: true},
		"too many mappings":            {text: `{"version":3,"sources":["a"],"mappings":"` + strings.Repeat("A;", MaxMappings) + `"}`, tooLarge: true},
		"too many sources":             {text: `{"version":3,"sources":[""` + strings.Repeat(`,""`, MaxSources) + `],"mappings":"AAAA"}`, tooLarge: true},
		"too many texts":               {text: `{"version":3,"sources":["a"],"sourcesContent":[null` + strings.Repeat(`,null`, MaxSources) + `],"mappings":"AAAA"}`, tooLarge: true},
		"too many bytes":               {text: strings.Repeat(" ", MaxMap+1), tooLarge: true},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Parse([]byte(row.text))
			if (err == nil) != row.readable || errors.Is(err, ErrTooLarge) != row.tooLarge {
				t.Fatalf("%v", err)
			}
			if err != nil {
				return
			}
			for _, at := range [][2]int{{1, 1}, {1, 100}, {2, 1}} {
				place, ok := m.Place(at[0], at[1])
				if ok && (place.File != "a" || place.Line < 1 || place.Column < 1) {
					t.Errorf("%v is %v", at, place)
				}
			}
		})
	}
}

func TestNamesOfFilesAreFitForALog(t *testing.T) {
	for source, want := range map[string]string{
		"lib/order.ts":                 "lib/order.ts",
		"../../lib/order.ts":           "lib/order.ts",
		"./index.ts":                   "index.ts",
		"":                             "?",
		"a\nb\x1b[31m.ts":              "a\uFFFDb\uFFFD[31m.ts",
		"a\xffb":                       "a\uFFFDb",
		strings.Repeat("é", 300) + "x": "…" + strings.Repeat("é", 127) + "x",
	} {
		if got := fileName(source); got != want {
			t.Errorf("%q is %q, want %q", source, got, want)
		}
	}
}

func FuzzMap(f *testing.F) {
	_, text := built(f, nil)
	f.Add(text, "    at main (ns/id.js:10:5)\n", 10, 5)
	f.Add([]byte(`{"version":3,"sources":["a"],"mappings":"AAAA;AACA"}`), "at ns/id.js:2:1", 2, 1)
	f.Fuzz(func(t *testing.T, text []byte, stack string, line, column int) {
		m, err := Parse(text)
		if err != nil {
			return
		}
		if place, ok := m.Place(line, column); ok && (place.Line < 1 || place.Column < 1 || strings.Contains(place.File, "\n")) {
			t.Errorf("%+v", place)
		}
		m.Text("ns/id.js", stack)
		m.Stack("ns/id.js", stack)
		m.Frames("ns/id.js", stack)
	})
}
