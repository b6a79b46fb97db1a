package config

import (
	"errors"
	"fmt"
	"strings"
)

// LoadError reports errors of variables.
type LoadError struct {
	// Faults has one line for each error, with the name of its variable.
	Faults error
	// Warnings are as in Config.
	Warnings []string
	// Partial is what could be read, so that more errors can be found; nil if nothing could.
	Partial *Config
}

// Error lists the errors.
func (e *LoadError) Error() string { return e.Faults.Error() }

// Unwrap returns the errors.
func (e *LoadError) Unwrap() error { return e.Faults }

// Load reads the configuration: the environment first, then the file that CONFIG_FILE names. Getenv is like
// os.LookupEnv, environ like os.Environ(). An empty variable counts as not set. The error is a *LoadError with all
// errors.
func Load(getenv func(string) (string, bool), environ []string) (*Config, error) {
	return loadBoth(getenv, environ, thisMachine())
}

func loadBoth(getenv func(string) (string, bool), environ []string, m machine) (*Config, error) {
	path, _ := getenv(fileVariable)
	if path == "" {
		return load(getenv, environ, m)
	}
	file, fault := readSettings(path)
	if fault != nil {
		fault = fmt.Errorf("%s: %w", fileVariable, fault)
	}
	both, all := file.below(getenv, environ)
	c, faults := load(both, all, m)
	if fault == nil && faults == nil {
		c.Warnings = append(c.Warnings, file.hidden(getenv)...)
		return c, nil
	}
	failed, ok := errors.AsType[*LoadError](faults)
	if !ok {
		failed = &LoadError{Partial: c, Warnings: c.Warnings}
	}
	failed.Faults = errors.Join(fault, failed.Faults)
	failed.Warnings = append(failed.Warnings, file.hidden(getenv)...)
	return nil, failed
}

// WantsJSON says whether LOG_APP_FORMAT asks for JSON, in the environment or in the file of CONFIG_FILE, even if other
// variables have errors.
func WantsJSON(getenv func(string) (string, bool)) bool {
	const name = "LOG_APP_FORMAT"
	text, _ := getenv(name)
	if path, _ := getenv(fileVariable); text == "" && path != "" {
		file, _ := readSettings(path) // Load reports its errors
		text = file.values[name]
	}
	return strings.EqualFold(strings.TrimSpace(text), LogAppJSON)
}

func load(getenv func(string) (string, bool), environ []string, m machine) (*Config, error) {
	c := &Config{
		texts: map[string]string{}, ExposeEnv: exposed(environ), Environment: map[string]string{}, machine: m,
		given: sums{},
	}
	var faults []error
	for _, v := range variables {
		text, given := v.textOf(getenv, c, m)
		if text == "" {
			continue
		}
		c.texts[v.Name] = v.show(text)
		if given {
			c.given.add(v.Name, text)
		}
		// A default that is wrong after another fault is most often derived from the value that is at fault. If not, it is
		// told when that is mended.
		if err := v.read(c, text, given); err != nil && (given || len(faults) == 0) {
			faults = append(faults, err)
		}
	}
	faults = append(faults, c.conflicts(len(faults) == 0)...)
	if value, _ := getenv(exposePrefix); value != "" {
		faults = append(faults, errors.New(exposePrefix+": must be followed by the name of a variable of functions"))
	}
	c.complete()
	c.Ignored = ignored(getenv)
	c.Warnings = append(c.Warnings, misspelt(environ)...)
	c.Warnings = append(c.Warnings, nodeWarning(environ)...)
	if len(faults) > 0 {
		return nil, &LoadError{Faults: errors.Join(faults...), Warnings: c.Warnings, Partial: c}
	}
	c.Warnings = append(c.Warnings, c.contradictions()...)
	return c, nil
}

// complete sets what depends on several variables.
func (c *Config) complete() {
	c.Trace.complete()
	if c.Egress.Upstream != nil {
		c.Egress.Upstream.Names = c.Egress.proxyNames
	}
	if c.Storage == StorageRedis && c.RedisEndpoint == "" {
		c.RedisEndpoint, c.RedisVariable = defaultRedis, "REDIS_ENDPOINT"
		c.texts["REDIS_ENDPOINT"] = c.RedisEndpoint.String()
	}
	for _, v := range c.ExposeEnv.Vars() {
		c.given.add(exposePrefix+v.Name, v.Value)
	}
}
