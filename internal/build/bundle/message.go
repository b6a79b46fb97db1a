// Package bundle makes one CommonJS text of the files, packages and shared modules of a function.
//
// It runs in a child process behind a jail, never in the server's: what authors write can exhaust the stack, the memory
// or the time of whoever parses it.
package bundle

import (
	"fmt"
	"strings"
)

// Message points at what is wrong in a file, or may be.
type Message struct {
	// File is the path of the file as the author gave it; in a package or shared module it begins with "node_modules/".
	// Empty when the fault is not one of a file.
	File string `json:"file,omitempty"`
	// Line and Column count from 1, Column in UTF-16 code units; 0 stands for a place that is not known.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// LineText is the line itself, shortened when it is long.
	LineText string `json:"source,omitempty"`
	// Text says what is wrong. Hint says what to do about it; it may be empty.
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"`
}

// String is the message in one line: index.ts:12:7: Expected ";" but found "x".
func (m Message) String() string {
	var out strings.Builder
	if m.File != "" {
		out.WriteString(m.File)
		if m.Line > 0 {
			fmt.Fprintf(&out, ":%d", m.Line)
			if m.Column > 0 {
				fmt.Fprintf(&out, ":%d", m.Column)
			}
		}
		out.WriteString(": ")
	}
	out.WriteString(m.Text)
	if m.Hint != "" {
		fmt.Fprintf(&out, " (%s)", m.Hint)
	}
	return out.String()
}

// Target is what the result is to run on.
type Target struct {
	// Runtime is the name of the runtime, such as "node24", as messages call it.
	Runtime string `json:"runtime"`
	// Node is its version of Node.js, such as "24.11.1" or "v8.17.0".
	Node string `json:"node"`
	// Newest is the name of the newest runtime that is installed, which hints recommend; empty when there is no newer one.
	Newest string `json:"newest,omitempty"`
}
