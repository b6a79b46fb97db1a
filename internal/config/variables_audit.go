package config

import "time"

// The values of AUDIT_FILE that are no files.
const (
	AuditStdout = "stdout"
	AuditStderr = "stderr"
)

// Audit says where records of writes and refusals go.
type Audit struct {
	// File is AUDIT_FILE: AuditStdout, AuditStderr, the name of a file, or empty for none.
	File string
	// Kept is how many records the store keeps, AUDIT_KEPT; 0 keeps none. TTL is AUDIT_TTL.
	Kept int
	TTL  time.Duration
}

// auditVariables are about records of writes and refusals.
var auditVariables = []Variable{
	{
		Name: "AUDIT_FILE", Default: "none",
		Meaning: "File to which [records](operations.md#audit) of writes and refusals are appended, a line of JSON each; " +
			"`stdout` and `stderr` write them there. SIGHUP opens it anew.",
		parse:  text(func(c *Config) *string { return &c.Audit.File }),
		derive: none,
	},
	{
		Name: "AUDIT_KEPT", Default: "10000",
		Meaning: "Records of writes and refusals that the store keeps and `GET /audit` serves, unless `AUTH` is `off`; " +
			"0 keeps none. The owner with the most loses the oldest.",
		parse: whole(0, 50_000, func(c *Config) *int { return &c.Audit.Kept }),
	},
	{
		Name: "AUDIT_TTL", Default: "2160h",
		Meaning: "Time for which the store keeps each of them.",
		parse:   duration(time.Minute, 3650*day, func(c *Config) *time.Duration { return &c.Audit.TTL }),
	},
}
