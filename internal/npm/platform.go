package npm

import (
	"encoding/json"
	"errors"
	"runtime"
	"slices"
	"strings"
)

// Platform is what packages for some systems alone are compared with, in the words of Node.js.
type Platform struct{ OS, CPU, Libc string }

// thisPlatform is the one of workers: Node.js's own builds for Linux use glibc.
func thisPlatform() Platform {
	p := Platform{OS: runtime.GOOS, CPU: runtime.GOARCH, Libc: "glibc"}
	if name, ok := map[string]string{"amd64": "x64", "386": "ia32"}[p.CPU]; ok {
		p.CPU = name
	}
	if p.OS != "linux" {
		p.Libc = ""
	}
	return p
}

// fits says whether e is for this platform.
func (p Platform) fits(e *entry) bool {
	return e.OS.admit(p.OS) && e.CPU.admit(p.CPU) && e.Libc.admit(p.Libc)
}

func (p Platform) String() string { return p.OS + " " + p.CPU }

// list is a text or an array of texts, as "os" and "cpu" of a package may be. A value with ! excludes.
type list []string

// UnmarshalJSON takes both forms.
func (l *list) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = list{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(text, &many); err != nil {
		return errors.New("os, cpu and libc must be texts or lists of texts")
	}
	*l = many
	return nil
}

// admit says whether value is among l, as npm sees it: an empty list and "any" are for all, and what is excluded is not
// admitted, whatever else is there.
func (l list) admit(value string) bool {
	if len(l) == 0 || len(l) == 1 && l[0] == "any" {
		return true
	}
	if slices.Contains(l, "!"+value) {
		return false
	}
	excludes := func(item string) bool { return strings.HasPrefix(item, "!") }
	return slices.Contains(l, value) || !slices.ContainsFunc(l, func(item string) bool { return !excludes(item) })
}
