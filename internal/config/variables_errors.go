package config

// errorsVariables are about the reports of failed runs.
var errorsVariables = []Variable{
	{
		Name: "SENTRY_DSN", Default: "none", derive: none, secret: true,
		Meaning: "Sentry project that gets a report of every failed run, in addition to the one that its function " +
			"(variable `sentryDSN`) or its namespace names.",
		parse: webAddress(true, func(c *Config, text string) { c.SentryDSN = Secret(text) }),
	},
}
