package config

// errorsVariables are about the reports of failed runs.
var errorsVariables = []Variable{
	{
		Name: "SENTRY_DSN", Default: "none", derive: none, secret: true,
		Meaning: "Sentry project that is told of every failed run, beside the one that its function (variable `sentryDSN`) or " +
			"its namespace names.",
		parse: secretText(func(c *Config) *Secret { return &c.SentryDSN }),
	},
}

func secretText(target func(*Config) *Secret) parser {
	return func(c *Config, text string) error {
		*target(c) = Secret(text)
		return nil
	}
}
