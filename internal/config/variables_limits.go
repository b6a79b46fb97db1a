package config

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/backstage/functions/internal/usage"
)

// Limits are the limits of functions, namespaces and keys that have none of their own.
type Limits struct {
	// Function, Namespace and Key are RATE_FUNCTION and QUOTAS_FUNCTION, and so on.
	Function, Namespace, Key usage.Limits
	// Kept is USAGE_KEPT.
	Kept time.Duration
}

// limitVariables are about what calls may use.
var limitVariables = []Variable{
	{
		Name: "RATE_FUNCTION", Default: "none", derive: none,
		Meaning: "Most calls of one function that may begin in a time, on all servers together, such as `100/s`, " +
			"`600/m` or `5000/h`; more are answered 429. `rate` of a function takes precedence over it. " +
			"[Limits and usage](guides/limits-and-usage.md) shows all of this.",
		parse: rateOf(func(c *Config) *usage.Rate { return &c.Limits.Function.Rate }),
	},
	{
		Name: "RATE_NAMESPACE", Default: "none", derive: none,
		Meaning: "The same for all functions of one namespace together, or of one owner with `NAMESPACE_OWNER_SEPARATOR`. " +
			"The [limits of a namespace](http-api.md#limits-of-namespaces) take precedence over it.",
		parse: rateOf(func(c *Config) *usage.Rate { return &c.Limits.Namespace.Rate }),
	},
	{
		Name: "RATE_KEY", Default: "none", derive: none,
		Meaning: "The same for all calls with one key. `rate` of a key takes precedence over it.",
		parse:   rateOf(func(c *Config) *usage.Rate { return &c.Limits.Key.Rate }),
	},
	{
		Name: "QUOTAS_FUNCTION", Default: "none", derive: none,
		Meaning: "What one function may use in a day (UTC), on all servers together, as JSON, such as " +
			"`{\"calls\":1000000,\"cpu\":\"10h\",\"egress\":\"50gb\"}`; calls beyond that are answered 429. `quotas` of a " +
			"function take precedence over it.",
		parse: quotasOf(func(c *Config) *usage.Quotas { return &c.Limits.Function.Quotas }),
	},
	{
		Name: "QUOTAS_NAMESPACE", Default: "none", derive: none,
		Meaning: "The same for one namespace or owner.",
		parse:   quotasOf(func(c *Config) *usage.Quotas { return &c.Limits.Namespace.Quotas }),
	},
	{
		Name: "QUOTAS_KEY", Default: "none", derive: none,
		Meaning: "The same for all calls with one key.",
		parse:   quotasOf(func(c *Config) *usage.Quotas { return &c.Limits.Key.Quotas }),
	},
	{
		Name: "USAGE_KEPT", Default: "9600h",
		Meaning: "How long it is known what a namespace [has used](http-api.md#usage).",
		parse:   duration(24*time.Hour, 3660*day, func(c *Config) *time.Duration { return &c.Limits.Kept }),
	},
}

// rateOf reads a rate.
func rateOf(target func(*Config) *usage.Rate) parser {
	return past(func(c *Config, text string) (err error) {
		if *target(c), err = usage.ParseRate(text); err != nil || !target(c).IsSet() {
			return errors.New(`must be a number of calls per second, minute or hour, such as 100/s, 600/m or 5000/h`)
		}
		return nil
	}, []string{"1/s", " 600 / M ", "1000000000/h"}, []string{"0/s", "100", "1/d", "-1/s", "1.5/s", "x"})
}

// quotasOf reads quotas.
func quotasOf(target func(*Config) *usage.Quotas) parser {
	return past(func(c *Config, text string) (err error) {
		if *target(c), err = usage.ParseQuotas(json.RawMessage(text)); err != nil {
			return errors.New(`must be JSON such as {"calls":1000000,"cpu":"10h","egress":"50gb"}, but it` + err.Error())
		}
		return nil
	}, []string{`{}`, `{"calls":1,"cpu":"1s","egress":"1gb"}`}, []string{"1", "[]", "{", `{"calls":-1}`, `{"x":1}`})
}
