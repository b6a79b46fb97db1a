package sentry

import (
	"cmp"
	"path"
	"strconv"
	"strings"

	sdk "github.com/getsentry/sentry-go"

	"github.com/backstage/functions/internal/invoke"
)

// sources are the lines of the files that the frames of a failure lie in.
type sources struct {
	failure *invoke.Failure
	lines   map[string][]string // by file, as far as they were asked for; nil for a text that is not known
}

// of are the lines of file.
func (s *sources) of(file string) []string {
	lines, asked := s.lines[file]
	if asked {
		return lines
	}
	if text, ok := s.text(file); ok {
		lines = strings.Split(text, "\n")
	}
	s.lines[file] = lines
	return lines
}

func (s *sources) text(file string) (text string, ok bool) {
	if file == s.failure.Call.Ref.Filename() {
		return cmp.Or(s.failure.Function.Code, s.failure.Function.Program()), true
	}
	if s.failure.Source == nil {
		return "", false
	}
	return s.failure.Source(file)
}

// frameAt is the frame at a line of file. Its module is the name of file alone, as the Node.js SDK of Sentry has it. Ok
// says whether there is such a line, as far as that is known.
func (s *sources) frameAt(file, name, line string) (frame sdk.Frame, ok bool) {
	number, err := strconv.Atoi(line)
	if err != nil || number < 1 {
		return sdk.Frame{}, false
	}
	frame = sdk.Frame{
		Filename: cut(file, maxLine),
		Module:   cut(strings.TrimSuffix(path.Base(file), path.Ext(file)), maxLine),
		Function: cut(name, maxLine),
		Lineno:   number,
		InApp:    !strings.Contains("/"+file, "/node_modules/"),
	}
	code := s.of(file)
	if code == nil {
		return frame, true
	}
	if number > len(code) || code[number-1] == "" {
		return sdk.Frame{}, false
	}
	at := number - 1
	frame.PreContext = cutAll(code[max(0, at-contextLines):at])
	frame.ContextLine = cut(code[at], maxLine)
	frame.PostContext = cutAll(code[at+1 : min(len(code), at+1+contextLines)])
	return frame, true
}
