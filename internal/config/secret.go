package config

import (
	"log/slog"
	"strings"
)

// mask stands for what is not shown.
const mask = "***"

// Secret is an address that may hold a user and a password. It prints and logs without them; string(s) is the whole.
type Secret string

// String returns s with *** for all between the scheme and the last "@", and for a query.
func (s Secret) String() string {
	text := string(s)
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		scheme, _, ok := strings.Cut(text[:at], "://")
		if ok {
			scheme += "://"
		} else {
			scheme = ""
		}
		text = scheme + mask + text[at:]
	}
	if text, _, ok := strings.Cut(text, "?"); ok {
		return text + "?" + mask
	}
	return text
}

// GoString implements fmt.GoStringer, so that %#v does not show the whole either.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
