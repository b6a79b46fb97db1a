package function

import (
	"slices"
	"strings"
)

// And is what both allow. A nil c stands for everything.
func (c *CORS) And(other *CORS) *CORS {
	if c == nil {
		return other
	}
	both := &CORS{
		Methods: common(c.methods(), other.methods()), Headers: common(c.Headers, other.Headers),
		Expose: common(c.Expose, other.Expose), Credentials: c.Credentials && other.Credentials,
		MaxAge: min(c.MaxAge, other.MaxAge),
	}
	switch {
	case c.AllowsAll():
		both.Origins = other.Origins
	case other.AllowsAll():
		both.Origins = c.Origins
	default:
		both.Origins = common(c.Origins, other.Origins)
	}
	return both
}

// methods are those that pages may use.
func (c *CORS) methods() []string {
	if c.Methods == nil {
		return DefaultCORSMethods
	}
	return c.Methods
}

// common are the names that both have, in any case of letters. It is never nil.
func common(a, b []string) []string {
	both := []string{}
	for _, name := range a {
		if slices.ContainsFunc(b, func(other string) bool { return strings.EqualFold(name, other) }) {
			both = append(both, name)
		}
	}
	return both
}
