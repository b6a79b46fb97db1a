package config

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/backstage/functions/internal/identity"
)

// The values of AUTH.
const (
	AuthOff = "off"
	AuthLog = "log"
	AuthOn  = "on"
)

// adminKeyName is that of the file with the key of the administrator in DATA_DIR.
const adminKeyName = "admin.key"

// issuers reads a JSON array of issuers.
func issuers() parser {
	const one = `{"issuer":"https://login.example","audiences":["functions"]}`
	const half = `[{"issuer":"https://login.example","audiences":`
	return past(func(c *Config, text string) error {
		refused := func(err error) error { return fmt.Errorf("must be a JSON array of issuers: %w", err) }
		if err := eachOnce(json.RawMessage(strings.TrimSpace(text))); err != nil {
			return refused(plain(err))
		}
		read, err := identity.ParseIssuers(text)
		if err != nil {
			return refused(err)
		}
		c.Issuers = read
		return nil
	}, []string{
		"[" + one + "]", half + `["a","b"],"ca":"/etc/ca.pem","namespaces":["shop*"],` +
			`"roles":[{"claim":"groups","value":"ops","role":"admin","namespaces":["*"]}]}]`,
		`[{"issuer":"http://localhost:9000/realm","audiences":["a"]}]`,
	}, []string{
		"[]", "{}", one, "x", "[" + one + "," + one + "]", "[" + one + "]x", half + "[]}]",
		half + `["a"],"audiences":["b"]}]`,
		half + `["a"],"role":"admin"}]`, `[{"issuer":"http://login.example","audiences":["a"]}]`,
	})
}

// authVariables are about who may do what.
var authVariables = []Variable{
	{
		Name: "AUTH", Default: AuthOff,
		Meaning: "Whether callers need a [key](http-api.md#keys): `off`, `on`, or `log`, which serves everybody but logs " +
			"what `on` would refuse.",
		parse: oneOf(func(c *Config) *string { return &c.Auth }, AuthOff, AuthLog, AuthOn),
	},
	{
		Name: "OIDC_ISSUERS", Default: "none", derive: none,
		Meaning: "OpenID Connect issuers whose tokens callers may show instead of keys, as a JSON array: see the " +
			"[guide](guides/sign-in.md). Needs `AUTH` to be `on` or `log`.",
		parse: issuers(),
	},
	{
		Name: "ADMIN_KEY_FILE", Default: "`admin.key` in `DATA_DIR`",
		Meaning: "File with the key of the administrator, who may do everything. If it is missing when a server starts " +
			"whose `AUTH` is not `off`, the server makes one that only its user can read, in a directory that " +
			"is there or in `DATA_DIR`. Servers that share a store may share it, or have one each.",
		parse:  text(func(c *Config) *string { return &c.AdminKeyFile }),
		derive: func(c *Config, _ machine) string { return filepath.Join(c.DataDir, adminKeyName) },
	},
}

// AdminKeyIsDefault says whether AdminKeyFile is the one whose directory is made with the file.
func (c *Config) AdminKeyIsDefault() bool {
	return filepath.Clean(c.AdminKeyFile) == filepath.Join(c.DataDir, adminKeyName)
}
