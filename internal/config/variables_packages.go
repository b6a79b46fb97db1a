package config

import (
	"errors"
	"strings"
	"time"
)

// Packages says where the npm packages of functions come from.
type Packages struct {
	// Registry is NPM_REGISTRY, empty for none.
	Registry Secret
	// Token is NPM_REGISTRY_TOKEN, TokenFile is NPM_REGISTRY_TOKEN_FILE; one of them at most.
	Token     Password
	TokenFile string
	// CacheSize and Limit are NPM_CACHE_SIZE and NPM_PACKAGES_LIMIT, in bytes. Timeout is NPM_TIMEOUT.
	CacheSize, Limit int64
	Timeout          time.Duration
}

// packagesVariables are about the packages that lock files of functions name.
var packagesVariables = []Variable{
	{
		Name: "NPM_REGISTRY", Default: "none", derive: none, secret: true,
		Meaning: "URL of the npm registry that the packages of a function's lock file come from, such as " +
			"`https://npm.example/`; it may have a user and a password. Without it, functions deploy with their " +
			"packages bundled ([more](operations.md#npm-packages)). The server asks it through `HTTPS_PROXY`, and trusts " +
			"the certificates of `NODE_EXTRA_CA_CERTS` in addition to those of the system. Addresses in lock files are " +
			"not used.",
		parse: webAddress(false, func(c *Config, text string) { c.Packages.Registry = Secret(text) }),
	},
	{
		Name: "NPM_REGISTRY_TOKEN", Default: "none", derive: none, masked: true,
		Meaning: "Token that the registry gets as `Authorization: Bearer`. No other host gets it.",
		parse:   token(func(c *Config) *Password { return &c.Packages.Token }),
	},
	{
		Name: "NPM_REGISTRY_TOKEN_FILE", Default: "none", derive: none,
		Meaning: "File that holds that token instead. It is read for each deploy, so that it may change.",
		parse:   text(func(c *Config) *string { return &c.Packages.TokenFile }),
	},
	{
		Name: "NPM_CACHE_SIZE", Default: "1gb",
		Meaning: "Most bytes of packages that are kept in `DATA_DIR/npm`. What was used longest ago makes room.",
		parse:   size(mib, tib, func(c *Config) *int64 { return &c.Packages.CacheSize }),
	},
	{
		Name: "NPM_PACKAGES_LIMIT", Default: "50mb",
		Meaning: "Most bytes of the packages of one function together, as the registry has them. With more a deploy is " +
			"answered 413.",
		parse: size(kib, gib, func(c *Config) *int64 { return &c.Packages.Limit }),
	},
	{
		Name: "NPM_TIMEOUT", Default: "1m",
		Meaning: "Longest time for the registry to deliver the packages of one function. After that a deploy is " +
			"answered 503.",
		parse: duration(time.Second, time.Hour, func(c *Config) *time.Duration { return &c.Packages.Timeout }),
	},
}

// token reads one word of printable ASCII.
func token(target func(*Config) *Password) parser {
	return past(func(c *Config, text string) error {
		if len(text) > maxText || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return errors.New("must be one word of printable ASCII")
		}
		*target(c) = Password(text)
		return nil
	}, []string{"x", strings.Repeat("x", maxText)}, []string{strings.Repeat("x", maxText+1), "a b", "a\n", "ä"})
}
