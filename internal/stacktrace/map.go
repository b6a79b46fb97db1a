package stacktrace

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-sourcemap/sourcemap"
)

// Limits of a source map. Each mapping takes mappingBytes in memory.
const (
	// MaxMap is the size of its JSON in bytes.
	MaxMap = 64 << 20
	// MaxMappings is how many places it maps, and MaxSources how many files it names.
	MaxMappings  = 2 << 20
	MaxSources   = 1 << 16
	mappingBytes = 24
)

// ErrTooLarge marks a source map that is beyond one of the limits.
var ErrTooLarge = errors.New("stacktrace: the source map is too large to be read")

// Place is a place in an author's file.
type Place struct {
	// File is its name as it was deployed, such as "lib/order.ts".
	File string
	// Line and Column count from 1.
	Line, Column int
}

func (p Place) String() string {
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Map is a source map. It is safe for concurrent use.
type Map struct {
	places *sourcemap.Consumer // names sources by their number
	files  []string            // several sources may have one name
	texts  map[string]string   // by the names in files
	bytes  int64
	// alias is the name of all files but those of packages, if it is set.
	alias string
}

// stored is what is read of a source map. Sections are not: no build of this project writes any.
type stored struct {
	Version  int       `json:"version"`
	Sources  []string  `json:"sources"`
	Texts    []*string `json:"sourcesContent,omitempty"`
	Mappings string    `json:"mappings"`
}

// Parse reads a source map of version 3. Its error is ErrTooLarge, or says what is wrong with text.
func Parse(text []byte) (*Map, error) {
	return recovered(func() (*Map, error) { return parse(text) })
}

// recovered calls read and makes an error of a panic: no map may end the server.
func recovered(read func() (*Map, error)) (m *Map, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			m, err = nil, fmt.Errorf("stacktrace: source map: it cannot be read: %v", cause)
		}
	}()
	return read()
}

func parse(text []byte) (*Map, error) {
	if len(text) > MaxMap {
		return nil, ErrTooLarge
	}
	var s stored
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("stacktrace: source map: %w", err)
	}
	if s.Version != 3 || s.Mappings == "" {
		return nil, fmt.Errorf("stacktrace: source map: version %d with %d bytes of mappings", s.Version, len(s.Mappings))
	}
	mappings := 1 + strings.Count(s.Mappings, ",") + strings.Count(s.Mappings, ";")
	if mappings > MaxMappings || len(s.Sources) > MaxSources || len(s.Texts) > MaxSources {
		return nil, ErrTooLarge
	}
	m := &Map{
		files: make([]string, len(s.Sources)), texts: map[string]string{}, bytes: int64(mappings) * mappingBytes,
	}
	for i, source := range s.Sources {
		m.files[i] = fileName(source)
		m.bytes += int64(len(m.files[i]))
	}
	for i, text := range s.Texts[:min(len(s.Texts), len(m.files))] {
		if text != nil {
			m.addText(m.files[i], *text)
		}
	}
	places, err := consumer(s.Mappings, len(s.Sources))
	if err != nil {
		return nil, err
	}
	m.places = places
	return m, nil
}

// consumer reads mappings of so many sources. The library would take the names of sources for URLs, so it gets numbers.
func consumer(mappings string, sources int) (*sourcemap.Consumer, error) {
	bare := stored{Version: 3, Sources: make([]string, sources), Mappings: mappings}
	for i := range bare.Sources {
		bare.Sources[i] = strconv.Itoa(i)
	}
	text, err := json.Marshal(bare)
	if err != nil {
		return nil, fmt.Errorf("stacktrace: source map: %w", err)
	}
	places, err := sourcemap.Parse("", text)
	if err != nil {
		return nil, fmt.Errorf("stacktrace: source map: %w", err)
	}
	return places, nil
}

// Place is the place in an author's file for one in the artefact, whose line and column count from 1. Ok says whether
// there is one: what the build has added itself has none.
func (m *Map) Place(line, column int) (place Place, ok bool) {
	defer func() {
		if recover() != nil { // a damaged map names a source that it does not have
			place, ok = Place{}, false
		}
	}()
	source, _, sourceLine, sourceColumn, found := m.places.Source(line, column-1)
	number, err := strconv.Atoi(source)
	if !found || err != nil || sourceLine < 1 || sourceColumn < 0 {
		return Place{}, false
	}
	return Place{File: m.nameOf(m.files[number]), Line: sourceLine, Column: sourceColumn + 1}, true
}

// addText keeps the text of a file of that name, if there is none yet.
func (m *Map) addText(name, text string) {
	if _, ok := m.texts[name]; !ok {
		m.texts[name] = text
		m.bytes += int64(len(text))
	}
}

// withTexts gives m the texts that it lacks, of files by their names: one copy of each, however many sources have its
// name. It copies none if m would then take more than limit bytes. M must not be in use yet.
func (m *Map) withTexts(files map[string][]byte, limit int64) *Map {
	lacking := map[string][]byte{}
	total := m.bytes
	for _, name := range m.files {
		content, ok := files[name]
		if _, has := m.texts[name]; !ok || has {
			continue
		}
		if _, counted := lacking[name]; !counted {
			lacking[name] = content
			total += int64(len(content))
		}
	}
	if total > limit {
		return m
	}
	for name, content := range lacking {
		m.addText(name, string(content))
	}
	return m
}

// Source is the text of an author's file. Ok says whether the map has it.
func (m *Map) Source(file string) (text string, ok bool) {
	for _, name := range m.files {
		if m.nameOf(name) != file {
			continue
		}
		if text, ok := m.texts[name]; ok {
			return text, true
		}
	}
	return "", false
}

// renamed is m with the name under which authors know a file that was deployed as code, for all but those of packages.
func (m *Map) renamed(file string) *Map {
	c := *m
	c.alias = file
	return &c
}

// nameOf is what the author calls the file of that name.
func (m *Map) nameOf(name string) string {
	if m.alias == "" || strings.HasPrefix(name, "node_modules/") {
		return name
	}
	return m.alias
}

// Bytes is how much memory the map takes, roughly.
func (m *Map) Bytes() int64 { return m.bytes }
