package config

import "path/filepath"

// keysetName is that of the file with the keys of secrets in DATA_DIR.
const keysetName = "secrets.keyset"

// secretsVariables are about secrets of functions.
var secretsVariables = []Variable{
	{
		Name: "SECRETS_KEYSET_FILE", Default: "`secrets.keyset` in `DATA_DIR`, if it is there",
		Meaning: "File with the keys that encrypt [secrets](guides/secrets.md), as `functions secrets keygen` makes it. " +
			"Servers that share a store need the same keys. Without it no secret can be stored.",
		parse:  text(func(c *Config) *string { return &c.SecretsKeysetFile }),
		derive: func(c *Config, _ machine) string { return filepath.Join(c.DataDir, keysetName) },
	},
	{
		Name: "SECRETS_DIR", Default: "none", derive: none,
		Meaning: "Directory with secrets as files, such as Kubernetes mounts them: `NAMESPACE/NAME` for all functions of a " +
			"namespace, `NAMESPACE/ID/NAME` for one. They go before stored ones, and are read again when they change.",
		parse: text(func(c *Config) *string { return &c.SecretsDir }),
	},
}

// KeysetIsDefault says whether SecretsKeysetFile is the one that is used only if it is there.
func (c *Config) KeysetIsDefault() bool {
	return c.SecretsKeysetFile == filepath.Join(c.DataDir, keysetName)
}
