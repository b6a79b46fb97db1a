package config

import (
	"time"
)

// functionsVariables are about what functions may do.
var functionsVariables = []Variable{
	{
		Name: "CODE_SYNC_TIMEOUT", Default: "100",
		Meaning: "Milliseconds until `main` must have returned, and for the trial run of new code.",
		parse:   millis(func(c *Config) *time.Duration { return &c.SyncTimeout }),
	},
	{
		Name: "CODE_ASYNC_TIMEOUT", Default: "5000",
		Meaning: "Milliseconds until a function must have answered.",
		parse:   millis(func(c *Config) *time.Duration { return &c.AsyncTimeout }),
	},
	{
		Name: "DEFAULT_GLOBAL_MODULES", Default: "lodash,async,request,uuid,node-fetch",
		Meaning: "Modules that functions may require, with commas between. The cookie jars of `request` know the public suffixes of 2022.",
		parse:   list(func(c *Config) *[]string { return &c.Modules }),
	},
}
