package config

import "path/filepath"

// The values of AUTH.
const (
	AuthOff = "off"
	AuthLog = "log"
	AuthOn  = "on"
)

// authVariables are about who may do what.
var authVariables = []Variable{
	{
		Name: "AUTH", Default: AuthOff,
		Meaning: "Whether callers need a [key](http-api.md#keys): `off`, `on`, or `log`, which serves everybody but logs " +
			"what `on` would refuse.",
		parse: oneOf(func(c *Config) *string { return &c.Auth }, AuthOff, AuthLog, AuthOn),
	},
	{
		Name: "ADMIN_KEY_FILE", Default: "`admin.key` in `DATA_DIR`",
		Meaning: "File with the key of the administrator, who may do everything. If it is missing when a server starts " +
			"whose `AUTH` is not `off`, the server makes one that only its user can read. Servers that share a store may " +
			"share it, or have one each.",
		parse:  text(func(c *Config) *string { return &c.AdminKeyFile }),
		derive: func(c *Config, _ machine) string { return filepath.Join(c.DataDir, "admin.key") },
	},
}
