package config

import (
	"log/slog"
	"regexp"
	"strings"
)

// mask replaces what is not shown.
const mask = "***"

// Secret is an address that may contain a user and a password. It prints and logs without them; string(s) is the whole.
type Secret string

// query matches the query after an address.
var query = regexp.MustCompile(`\?[A-Za-z_]+=`)

// String returns s with *** in place of everything between the scheme and the last "@", and of a query. If the parts
// cannot be told apart, it shows only the scheme.
func (s Secret) String() string {
	text := string(s)
	if at := query.FindStringIndex(text); at != nil && strings.Contains(text[at[0]:], "@") {
		if text = text[:at[0]]; !strings.Contains(text, "@") {
			return schemeOf(text) + mask
		}
		text += "?"
	}
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		text = schemeOf(text[:at]) + mask + text[at:]
	}
	if text, _, ok := strings.Cut(text, "?"); ok {
		return text + "?" + mask
	}
	return text
}

// schemeOf is the scheme of an address with its separator; empty for none.
func schemeOf(text string) string {
	scheme, _, ok := strings.Cut(text, "://")
	if !ok {
		return ""
	}
	return scheme + "://"
}

// GoString implements fmt.GoStringer, so that %#v does not show the whole either.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Password is a text of which nothing may be seen. It prints and logs as ***; string(p) is the text.
type Password string

// String hides p, but not whether there is one.
func (p Password) String() string {
	if p == "" {
		return ""
	}
	return mask
}

// GoString implements fmt.GoStringer, so that %#v does not show p either.
func (p Password) GoString() string { return `"` + p.String() + `"` }

// LogValue implements slog.LogValuer.
func (p Password) LogValue() slog.Value { return slog.StringValue(p.String()) }
