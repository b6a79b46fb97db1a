package sentry

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	sdk "github.com/getsentry/sentry-go"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

// Limits on a stack trace: lines of code on each side of a frame, frames, and bytes of each line of code.
const (
	contextLines = 7
	maxFrames    = 50
	maxLine      = 256
)

// errorName is what stands before the message of an error, as in "TypeError: x is not a function".
var errorName = regexp.MustCompile(`^([A-Za-z_$][\w$.]*): `)

func exceptionOf(text string, frames []sdk.Frame) sdk.Exception {
	name, value := "Error", text
	if match := errorName.FindStringSubmatch(text); match != nil {
		name, value = match[1], text[len(match[0]):]
	}
	return sdk.Exception{
		Type:       cut(name, maxLine),
		Value:      cut(value, maxText),
		Stacktrace: &sdk.Stacktrace{Frames: frames},
	}
}

// frameLine is a line of sandbox.FunctionError.Frames: "at fn (file:line)" or "at file:line". In a file of an author,
// from which the code was built, it has a column too.
var frameLine = regexp.MustCompile(`^at (?:(.+) \()?(.*?):(\d+)(?::(\d+))?\)?$`)

// framesOf are the frames that lie in the function's code, the outermost first, as Sentry wants them.
func framesOf(f *invoke.Failure) []sdk.Frame {
	thrown, ok := errors.AsType[*sandbox.FunctionError](f.Err)
	if !ok || thrown.Frames == "" {
		return nil
	}
	lines := strings.Split(thrown.Frames, "\n")
	lines = lines[:min(len(lines), maxFrames)]
	columns := columnsOf(thrown.Stack, f.Call.Ref.Filename())
	texts := sources{failure: f, lines: map[string][]string{}}
	var frames []sdk.Frame
	for i := len(lines) - 1; i >= 0; i-- {
		match := frameLine.FindStringSubmatch(lines[i])
		if match == nil {
			continue
		}
		frame, ok := texts.frameAt(match[2], match[1], match[3])
		if !ok {
			continue // the wrapper around the code
		}
		if match[4] != "" {
			frame.Colno, _ = strconv.Atoi(match[4])
		} else if i < len(columns) && columns[i].line == frame.Lineno {
			frame.Colno = columns[i].column
		}
		frames = append(frames, frame)
	}
	return frames
}

// position is a place in code; both count from 1.
type position struct{ line, column int }

// columnsOf are the places of a stack that lie in file, in its order, which is that of sandbox.FunctionError.Frames.
func columnsOf(stack, file string) []position {
	var places []position
	for line := range strings.Lines(stack) {
		_, place, found := strings.Cut(line, file+":")
		if !found || !strings.HasPrefix(strings.TrimSpace(line), "at ") {
			continue
		}
		row, column, _ := strings.Cut(strings.TrimRight(place, ")\r\n"), ":")
		at := position{}
		at.line, _ = strconv.Atoi(row)
		at.column, _ = strconv.Atoi(column)
		if places = append(places, at); len(places) == maxFrames {
			break
		}
	}
	return places
}

func cutAll(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = cut(line, maxLine)
	}
	return out
}

// cut returns at most the first limit bytes of s, without half a character at their end.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
