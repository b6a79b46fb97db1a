package identity

import (
	"fmt"
	"strings"
)

// Everywhere is the pattern that matches all namespaces.
const Everywhere = "*"

// Pattern names one namespace, or with a last "*" all whose names begin with what is before it.
type Pattern string

// MaxPatternBytes is the longest Pattern.
const MaxPatternBytes = 1 << 10

// Fault is the end of a sentence about p, which somebody gives; empty when nothing is wrong with it. A "*" before the
// end is refused: who writes it means any text, and it would match nothing but itself. Stored patterns may have one.
func (p Pattern) Fault() string {
	switch {
	case p == "":
		return " is empty"
	case len(p) > MaxPatternBytes:
		return fmt.Sprintf(" has more than %d bytes", MaxPatternBytes)
	case strings.Contains(string(p[:len(p)-1]), "*"):
		return ` has a * before its end: only one at the end stands for other text, as in "team-*"`
	}
	return ""
}

// Matches says whether p stands for the namespace.
func (p Pattern) Matches(namespace string) bool {
	prefix, open := strings.CutSuffix(string(p), "*")
	return open && strings.HasPrefix(namespace, prefix) || namespace == string(p)
}

// Covers says whether p stands for every namespace that other stands for.
func (p Pattern) Covers(other Pattern) bool {
	prefix, open := strings.CutSuffix(string(p), "*")
	its, _ := strings.CutSuffix(string(other), "*")
	return p == other || open && strings.HasPrefix(its, prefix)
}
