package config

import "time"

// defaultRedis is the original's default endpoint.
const defaultRedis = "sentinel://:@127.0.0.1:16380,127.0.0.1:16381,127.0.0.1:16382/service_name:redis-cluster"

// storageVariables are about where functions are kept.
var storageVariables = []Variable{
	{
		Name: "REDIS_ENDPOINT", Default: "`" + defaultRedis + "` with `STORAGE=redis`", derive: none, secret: true,
		Meaning: "Redis: `redis://[:password@]host:port[/db]`, `rediss://…` (TLS), `unix://path`, " +
			"`sentinel://:password@host:port,host:port/service_name:NAME`, `redis+cluster://[:password@]host:port,host:port`. " +
			"[More](operations.md#redis).",
		parse: textOf(redisEndpoint("REDIS_ENDPOINT")),
	},
	{
		Name: "DBAAS_SENTINEL_ENDPOINT", Default: "none", derive: none, secret: true,
		Meaning: "Another name for `REDIS_ENDPOINT`, which takes precedence over it.",
		parse:   textOf(redisEndpoint("DBAAS_SENTINEL_ENDPOINT")),
	},
	{
		Name: "LOGS_REDIS_ENDPOINT", Default: "that of `REDIS_ENDPOINT`", derive: none, secret: true,
		Meaning: "Another Redis, in the same forms, for [what functions print](operations.md#logs), with " +
			"`STORAGE=redis`. Output then takes no memory from the functions.",
		parse: textOf(func(c *Config, text string) error {
			c.LogsRedisEndpoint = Secret(text)
			return nil
		}),
	},
	{
		Name: "REDIS_CA_FILE", Default: "those of the system", derive: none,
		Meaning: "File with the certificate authorities, in PEM, that the server trusts for Redis and Sentinels " +
			"with TLS.",
		parse: text(func(c *Config) *string { return &c.RedisTLS.CAFile }),
	},
	{
		Name: "REDIS_CERT_FILE", Default: "none", derive: none,
		Meaning: "File with the certificate, in PEM, that the server shows to a Redis with TLS that asks for one.",
		parse:   text(func(c *Config) *string { return &c.RedisTLS.CertFile }),
	},
	{
		Name: "REDIS_KEY_FILE", Default: "none", derive: none,
		Meaning: "File with the key of `REDIS_CERT_FILE`, in PEM.",
		parse:   text(func(c *Config) *string { return &c.RedisTLS.KeyFile }),
	},
	{
		Name: "REDIS_SERVER_NAME", Default: "the host of the endpoint", derive: none,
		Meaning: "Name that the certificates of Redis and Sentinels with TLS must be for, if it differs from the " +
			"host of the endpoint.",
		parse: text(func(c *Config) *string { return &c.RedisTLS.ServerName }),
	},
	{
		Name: "REDIS_CONNECTION_TIMEOUT", Default: "1000",
		Meaning: "Milliseconds, or a duration with its unit such as `2s`, that one attempt to connect to Redis or " +
			"to a Sentinel may take.",
		parse: millis(time.Millisecond, time.Minute, func(c *Config) *time.Duration { return &c.RedisDialTimeout }),
	},
	{
		Name: "STORAGE", Default: "`redis` if a Redis endpoint is set, else `embedded`",
		Meaning: "Where functions are kept: `redis`, `embedded` (one file in `DATA_DIR`) or `inmemory` (lost when " +
			"the server ends).",
		parse: oneOf(func(c *Config) *string { return &c.Storage }, StorageRedis, StorageEmbedded, StorageInMemory),
		derive: func(c *Config, _ machine) string {
			if c.RedisEndpoint != "" {
				return StorageRedis
			}
			return StorageEmbedded
		},
	},
	{
		Name: "REDIS_KEY_PREFIX", Default: "local",
		Meaning: "Text before every key in Redis, with nothing in between.",
		parse:   text(func(c *Config) *string { return &c.RedisKeyPrefix }),
	},
	{
		Name: "DATA_DIR", Default: "./data",
		Meaning: "Directory of the embedded store and of [installed runtimes](operations.md#runtimes); the server creates " +
			"it. It must belong to the server's user or to root, and must not be writable for everybody.",
		parse: text(func(c *Config) *string { return &c.DataDir }),
	},
}

// redisEndpoint sets the endpoint and its variable, unless an earlier variable has done so.
func redisEndpoint(variable string) func(*Config, string) error {
	return func(c *Config, text string) error {
		if c.RedisEndpoint == "" {
			c.RedisEndpoint, c.RedisVariable = Secret(text), variable
		}
		return nil
	}
}

// RedisTLS is for connections to Redis with TLS: files in PEM, and the name of the server; empty ones are not used. See
// REDIS_CA_FILE, REDIS_CERT_FILE, REDIS_KEY_FILE and REDIS_SERVER_NAME.
type RedisTLS struct{ CAFile, CertFile, KeyFile, ServerName string }
