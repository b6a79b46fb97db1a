package stacktrace

import (
	"slices"
	"strings"
	"sync"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// Translator translates what one call of a function says into places of its author's files. Nil, which is that of a
// function whose code runs as it was deployed, leaves everything as it is. It is safe for concurrent use.
type Translator struct {
	file  string // under which the artefact runs
	files bool   // says whether the function was deployed with files
	load  func() *Map
}

// Of is the translator for a call of f.
func (s *Stacks) Of(f *function.Function) *Translator {
	if s == nil || f.Artefact == nil || f.Artefact.Lowered {
		return nil
	}
	return &Translator{
		file: f.Filename(), files: f.OfFiles(), load: sync.OnceValue(func() *Map { return s.mapOf(f) }),
	}
}

// mapFor is the map, if one of texts names the file of the artefact and there is a map; else nil.
func (t *Translator) mapFor(texts ...string) *Map {
	if t == nil || !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, t.file) }) {
		return nil
	}
	return t.known()
}

// known is the map under the author's names of files; nil if there is none.
func (t *Translator) known() *Map {
	m := t.load()
	if m == nil || t.files {
		return m
	}
	return m.renamed(t.file)
}

// Text is text with the author's places.
func (t *Translator) Text(text string) string {
	if m := t.mapFor(text); m != nil {
		return m.Text(t.file, text)
	}
	return text
}

// Line is line with the author's places.
func (t *Translator) Line(line sandbox.LogLine) sandbox.LogLine {
	line.Text = t.Text(line.Text)
	return line
}

// Error is err with the author's places in the texts of a *sandbox.FunctionError. It shares nothing with err that it
// has changed.
func (t *Translator) Error(err error) error {
	if t == nil || err == nil {
		return err
	}
	if stream, ok := err.(*sandbox.StreamError); ok { //nolint:errorlint // what wraps it could not be wrapped again
		translated := *stream
		translated.Err = t.Error(stream.Err)
		return &translated
	}
	thrown, ok := err.(*sandbox.FunctionError) //nolint:errorlint // as above
	if !ok {
		return err
	}
	m := t.mapFor(thrown.Stack, thrown.Text, thrown.Message)
	if m == nil {
		return err
	}
	translated := *thrown
	translated.Message, translated.Text = m.Text(t.file, thrown.Message), m.Text(t.file, thrown.Text)
	translated.Stack, translated.Frames = m.Stack(t.file, thrown.Stack), m.Frames(t.file, thrown.Stack)
	return &translated
}

// Source is the text of a file that a translated place names, for those who show the lines around it. Ok says whether
// it is known.
func (t *Translator) Source(file string) (text string, ok bool) {
	if t == nil {
		return "", false
	}
	m := t.known()
	if m == nil {
		return "", false
	}
	return m.Source(file)
}
