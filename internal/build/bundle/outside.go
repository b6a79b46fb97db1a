package bundle

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// globbed is how esbuild calls an import of all files that fit a pattern.
var globbed = regexp.MustCompile(`(?:import|require)(?:\.\w+)?\(("(?:[^"\\]|\\.)*")\)`)

// confined are messages without what they say about files outside of the tree. Warnings about these are left out, and
// of equal messages all but the first: their number would tell how many files there are.
func (e *explainer) confined(messages []api.Message, isError bool) []api.Message {
	var all []api.Message
	for _, m := range messages {
		outside := m.Location != nil && m.Location.File != "" && e.file(m.Location.File) == ""
		switch {
		case e.importLeadsOut(m):
			text := notUploaded
			if strings.HasPrefix(m.Text, text) {
				text = m.Text
			}
			m = api.Message{Text: text, Location: e.place(m)}
		case m.Text == errOutside.Error() && m.Location != nil:
			m = api.Message{Text: "Could not resolve " + strconv.Quote(imported(m.Location)), Location: m.Location}
		case !isError && outside:
			continue
		case outside, strings.HasPrefix(m.Text, "Cannot read "), m.Text == errOutside.Error():
			m = api.Message{Text: outsideUpload}
		}
		same := func(other api.Message) bool { return equal(m, other) }
		if !strings.HasPrefix(m.Text, notUploaded) || !slices.ContainsFunc(all, same) {
			all = append(all, m)
		}
	}
	return all
}

// importLeadsOut says whether a message is about an import that leads out of the tree.
func (e *explainer) importLeadsOut(m api.Message) bool {
	if m.Location == nil {
		return false
	}
	if m.Text == errOutside.Error() && strings.HasPrefix(imported(m.Location), ".") {
		return true
	}
	file := m.Location.File
	text := m.Text
	if pattern, in, ok := strings.Cut(file, " in "); ok && globbed.MatchString(pattern) {
		file, text = in, pattern // the module that esbuild makes of a pattern
	}
	found := globbed.FindStringSubmatch(text)
	if found == nil {
		return strings.HasPrefix(m.Text, notUploaded)
	}
	pattern, err := strconv.Unquote(found[1])
	pattern, _, _ = strings.Cut(strings.ReplaceAll(pattern, `\`, "/"), "*")
	return err != nil || escapes(path.Dir(filepath.ToSlash(e.file(file))), pattern)
}

// place is where an import that leads out is: of patterns the file alone, as of some messages it is all that is known.
func (e *explainer) place(m api.Message) *api.Location {
	at := *m.Location
	if _, in, ok := strings.Cut(at.File, " in "); ok && globbed.MatchString(at.File) {
		return &api.Location{File: in}
	}
	if !strings.HasPrefix(m.Text, notUploaded) {
		return &api.Location{File: at.File}
	}
	return &at
}

// imported is the text of an import without its quotes.
func imported(at *api.Location) string {
	from := min(max(at.Column, 0), len(at.LineText))
	text := at.LineText[from:min(from+max(at.Length, 0), len(at.LineText))]
	return strings.Trim(text, "\"'`")
}

// equal says whether messages are the same to the author.
func equal(a, b api.Message) bool {
	return a.Text == b.Text && a.Location != nil && b.Location != nil &&
		a.Location.File == b.Location.File && a.Location.Line == b.Location.Line &&
		a.Location.Column == b.Location.Column
}
