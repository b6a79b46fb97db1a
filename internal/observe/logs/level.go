package logs

import (
	"fmt"
	"log/slog"
)

// The original has two levels that slog has not.
const (
	LevelVerbose = slog.LevelInfo - 2
	LevelSilly   = slog.LevelDebug - 4
)

// levels are the names that LOG_LEVEL takes, the most important first.
var levels = []struct {
	name  string
	level slog.Level
	color string // its ANSI colour
}{
	{"error", slog.LevelError, "31"},
	{"warn", slog.LevelWarn, "33"},
	{"info", slog.LevelInfo, "32"},
	{"verbose", LevelVerbose, "36"},
	{"debug", slog.LevelDebug, "34"},
	{"silly", LevelSilly, "35"},
}

// ParseLevel returns the level of that name: error, warn, info, verbose, debug or silly.
func ParseLevel(name string) (slog.Level, error) {
	for _, l := range levels {
		if l.name == name {
			return l.level, nil
		}
	}
	return 0, fmt.Errorf("level %q is not error, warn, info, verbose, debug or silly", name)
}

// nameOf returns the name and the colour of the nearest level that is not above l.
func nameOf(l slog.Level) (name, color string) {
	for _, known := range levels {
		if l >= known.level {
			return known.name, known.color
		}
	}
	last := levels[len(levels)-1]
	return last.name, last.color
}
