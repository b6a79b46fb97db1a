package config

// errorsVariables are about the reports of failed runs.
var errorsVariables = []Variable{
	{
		Name: "SENTRY_DSN", Default: "none", derive: none, secret: true,
		Meaning: "Sentry project that is told of every failed run, beside the one that its function (variable `sentryDSN`) or " +
			"its namespace names.",
		parse: webAddress(true, func(c *Config, text string) { c.SentryDSN = Secret(text) }),
	},
}
