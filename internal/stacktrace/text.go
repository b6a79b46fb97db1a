package stacktrace

import (
	"strings"
)

// maxPlaces is how many places are translated in one text; those after them stay as they are. A function chooses how
// many it prints.
const maxPlaces = 256

// Text is text with each place in the artefact, such as "ns/id.js:12:7", replaced by the author's. File is the name
// under which the artefact runs.
func (m *Map) Text(file, text string) string {
	out, _ := m.replace(file, text, maxPlaces)
	return out
}

// Stack is Text for the stack of an error. Frames that lie in what the build has added are left out.
func (m *Map) Stack(file, stack string) string {
	if !strings.Contains(stack, file) {
		return stack
	}
	lines := strings.Split(stack, "\n")
	kept := lines[:0]
	left := maxPlaces
	for _, line := range lines {
		text, done := m.replace(file, line, left)
		left -= done.replaced
		if done.unknown > 0 && done.replaced == 0 && isFrame(line) {
			continue
		}
		kept = append(kept, text)
	}
	return strings.Join(kept, "\n")
}

// Frames are the frames of a stack that lie in the artefact, one "at fn (lib/order.ts:12:7)" a line.
func (m *Map) Frames(file, stack string) string {
	var frames []string
	for line := range strings.Lines(stack) {
		name, place, ok := m.frame(file, line)
		switch {
		case !ok:
			continue
		case len(frames) == maxPlaces:
			return strings.Join(frames, "\n")
		case name == "":
			frames = append(frames, "at "+place.String())
		default:
			frames = append(frames, "at "+name+" ("+place.String()+")")
		}
	}
	return strings.Join(frames, "\n")
}

// frame is the name of the function of a frame, empty if it has none, and the place of the frame in an author's file.
func (m *Map) frame(file, line string) (name string, at Place, ok bool) {
	if !isFrame(line) {
		return "", Place{}, false
	}
	start, end, row, column := nextPlace(file, line, 0)
	if start < 0 || strings.Trim(line[end:], ")\r\n") != "" { // such as of eval, which is nested
		return "", Place{}, false
	}
	if at, ok = m.Place(row, column); !ok {
		return "", Place{}, false
	}
	name = strings.TrimPrefix(strings.TrimSpace(line[:start]), "at")
	name = strings.TrimPrefix(strings.TrimSpace(strings.TrimSuffix(name, "(")), "async ")
	if strings.HasSuffix(name, "<anonymous>") {
		name = ""
	}
	return name, at, true
}

func isFrame(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " \t"), "at ") }

// replacement counts the places of the artefact in a text.
type replacement struct{ replaced, unknown int }

// replace replaces at most limit places of text.
func (m *Map) replace(file, text string, limit int) (string, replacement) {
	var out strings.Builder
	var done replacement
	from := 0
	for done.replaced < limit {
		start, end, row, column := nextPlace(file, text, from)
		if start < 0 {
			break
		}
		out.WriteString(text[from:start])
		if place, ok := m.Place(row, column); ok {
			out.WriteString(place.String())
			done.replaced++
		} else {
			out.WriteString(text[start:end])
			done.unknown++
		}
		from = end
	}
	if from == 0 {
		return text, done
	}
	out.WriteString(text[from:])
	return out.String(), done
}
