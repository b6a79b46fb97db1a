package config

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/bytesize"
)

// conflicts are combinations of variables that are errors. Sound says that every variable was read without error; only
// then are numbers compared.
func (c *Config) conflicts(sound bool) []error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if sound && c.PoolPrewarmed > c.PoolSize {
		fault("POOL_PREWARMED: %d is more than POOL_SIZE, which is %d", c.PoolPrewarmed, c.PoolSize)
	}
	if sound && c.PoolPrewarmed <= c.PoolSize && c.PoolPrewarmed+c.PoolSpare > c.PoolSize {
		fault("POOL_SPARE: %d and POOL_PREWARMED, which is %d, are more than POOL_SIZE, which is %d",
			c.PoolSpare, c.PoolPrewarmed, c.PoolSize)
	}
	if sound && c.PoolActive > c.PoolSize {
		fault("POOL_ACTIVE: %d is more than POOL_SIZE, which is %d", c.PoolActive, c.PoolSize)
	}
	if sound && c.PoolReserve >= c.PoolActive {
		fault("POOL_RESERVE: %d is not less than POOL_ACTIVE, which is %d", c.PoolReserve, c.PoolActive)
	}
	if sound && c.isGiven("RESPONSE_LIMIT") && c.ResponseLimit > c.HTTP.AnswerMemory {
		fault("RESPONSE_LIMIT: %s is more than HTTP_ANSWER_MEMORY, which is %s: one answer could cut off all others",
			bytesize.Text(c.ResponseLimit), bytesize.Text(c.HTTP.AnswerMemory))
	}
	if c.Egress.UseCertFile && c.Egress.CertFile == "" {
		fault("SSL_CERT_FILE: must be set when FUNCTIONS_USE_SSL_CERT_FILE is true")
	}
	if c.isGiven("TLS_CERT_FILE") != c.isGiven("TLS_KEY_FILE") {
		fault("TLS_CERT_FILE, TLS_KEY_FILE: must be set both, or neither")
	}
	if c.Packages.Token != "" && c.Packages.TokenFile != "" {
		fault("NPM_REGISTRY_TOKEN, NPM_REGISTRY_TOKEN_FILE: must not be set both")
	}
	if c.LogsRedisEndpoint != "" && c.Storage != StorageRedis && c.Storage != "" {
		fault("LOGS_REDIS_ENDPOINT: is for STORAGE=redis, which is %s: unset it, or set REDIS_ENDPOINT", c.Storage)
	}
	if c.MetricsAuth == AuthOn && c.Auth == AuthOff {
		fault("METRICS_AUTH: on needs keys, which there are with AUTH=on or log")
	}
	return faults
}

// contradictions are warnings about variables without effect, because another variable takes precedence or is lower.
func (c *Config) contradictions() []string {
	warnings := c.withoutEffect()
	limit := func(name, other string, over bool) {
		if over && c.isGiven(name) {
			warnings = append(warnings, fmt.Sprintf("%s=%s is more than %s, which is %s: the smaller one applies",
				name, c.texts[name], other, c.texts[other]))
		}
	}
	limit("FUNCTION_LOGS_NAMESPACE_MEMORY", "FUNCTION_LOGS_MEMORY", c.Kept.Namespace > c.Kept.Memory)
	limit("NPM_PACKAGES_LIMIT", "NPM_CACHE_SIZE", c.Packages.Limit > c.Packages.CacheSize)
	limit("WORKER_TMP_SIZE", "WORKER_MEMORY_LIMIT", c.TmpSize > c.MemoryLimit)
	limit("CODE_SYNC_TIMEOUT", "CODE_ASYNC_TIMEOUT", c.SyncTimeout > c.AsyncTimeout)
	limit("STREAM_UNREAD_TIMEOUT", "STREAM_TIMEOUT", c.StreamTotal > 0 && c.StreamUnread > c.StreamTotal)
	limit("STREAM_IDLE_TIMEOUT", "STREAM_TIMEOUT", c.StreamTotal > 0 && c.StreamIdle > c.StreamTotal)
	limit("RESPONSE_LIMIT", "WORKER_MEMORY_LIMIT", c.ResponseLimit > c.MemoryLimit)
	limit("HTTP_HEADER_TIMEOUT", "HTTP_READ_TIMEOUT", c.HTTP.Header > c.HTTP.Read)
	limit("HTTP_BODY_TIMEOUT", "HTTP_READ_TIMEOUT", c.HTTP.Body > c.HTTP.Read)
	limit("EGRESS_CONNECTIONS_PER_CALL", "EGRESS_CONNECTIONS", c.Egress.Limits.PerCall > c.Egress.Limits.Total)
	limit("EGRESS_CONNECTIONS_PER_CALL", "EGRESS_ATTEMPTS_PER_CALL", c.Egress.Limits.PerCall > c.Egress.Limits.Attempts)
	limit("EGRESS_CONNECT_TIMEOUT", "CODE_ASYNC_TIMEOUT", c.Egress.Limits.Connect > c.AsyncTimeout)
	limit("MAX_CONCURRENCY_FUNCTION", "MAX_CONCURRENCY_NAMESPACE",
		c.MaxConcurrencyNamespace > 0 && c.MaxConcurrencyFunction > c.MaxConcurrencyNamespace)
	limit("WEBSOCKET_MESSAGE_LIMIT", "BODY_PARSER_LIMIT", c.WebSocket.Connections > 0 && c.WebSocket.Message > c.BodyLimit)
	if name, _ := c.ExposeEnv.Get("TZ"); name != "" && !IsZone(name) {
		warnings = append(warnings, fmt.Sprintf("%sTZ=%s is not a name of the time zone database, such as "+
			"America/Sao_Paulo: functions are in the zone of the server", exposePrefix, name))
	}
	return slices.Concat(warnings, c.lowMaxima(), c.narrowTotals())
}

// lowMaxima are warnings about timeouts that functions may not ask for, although those that ask for none have them.
func (c *Config) lowMaxima() (warnings []string) {
	low := func(most, usual string, less bool) {
		if less && c.isGiven(most) {
			warnings = append(warnings, fmt.Sprintf("%s=%s is less than %s, which is %s: functions without a timeout of "+
				"their own have more time than others may ask for", most, c.texts[most], usual, c.texts[usual]))
		}
	}
	low("FUNCTION_TIMEOUT_MAX", "CODE_ASYNC_TIMEOUT", c.FunctionTimeoutMax < c.AsyncTimeout)
	low("FUNCTION_SYNC_TIMEOUT_MAX", "CODE_SYNC_TIMEOUT", c.FunctionSyncTimeoutMax < c.SyncTimeout)
	return warnings
}

// narrowTotals are warnings about limits of the asynchronous calls of all namespaces of which one can have no more than
// half: see queue.Leaves.
func (c *Config) narrowTotals() (warnings []string) {
	half := func(all, one string, narrow bool) {
		if narrow {
			warnings = append(warnings, fmt.Sprintf("%s=%s is less than twice %s, which is %s: a namespace can have half of "+
				"it, the rest is for others", all, c.texts[all], one, c.texts[one]))
		}
	}
	if c.Calls.Most > 0 {
		half("CALLS_MAX_TOTAL", "CALLS_MAX", c.Calls.MostOfAll < 2*c.Calls.Most)
		half("CALLS_MEMORY_TOTAL", "CALLS_MEMORY", c.Calls.MemoryOfAll < 2*c.Calls.Memory)
	}
	return warnings
}

func (c *Config) withoutEffect() []string {
	var warnings []string
	if c.NodeBinary != "" && len(c.Runtimes) > 0 {
		warnings = append(warnings, "NODE_BINARY has no effect: RUNTIMES takes precedence over it")
	}
	if c.RedisEndpoint != "" && c.Storage != StorageRedis {
		warnings = append(warnings, cmp.Or(c.RedisVariable, "REDIS_ENDPOINT")+" has no effect: STORAGE is "+c.Storage)
	}
	for _, name := range []string{"NPM_REGISTRY_TOKEN", "NPM_REGISTRY_TOKEN_FILE"} {
		if c.isGiven(name) && c.Packages.Registry == "" {
			warnings = append(warnings, name+" has no effect: NPM_REGISTRY is not set")
		}
	}
	if c.isGiven("OIDC_ISSUERS") && c.Auth == AuthOff {
		warnings = append(warnings, "OIDC_ISSUERS has no effect: AUTH is off")
	}
	if c.Egress.TLSInsecure {
		warnings = append(warnings, "EGRESS_TLS_INSECURE is on: functions do not check who answers them, and anybody on the "+
			"way can read and change what they send; NODE_EXTRA_CA_CERTS names authorities to trust instead")
	}
	if _, err := netip.ParseAddr(c.Host); err != nil && c.Host != "" && !strings.EqualFold(c.Host, "localhost") {
		warnings = append(warnings, "HOST="+c.Host+" is a name: the server listens at the address that it stands for, and "+
			"at no other. Backstage "+
			"Functions did not read HOST, which some shells set: unset it, or set it to an address: 0.0.0.0 are all")
	}
	if c.machine.zone.fault != "" && !c.isGiven("TZ") {
		warnings = append(warnings, c.machine.zone.fault)
	}
	return warnings
}

func (c *Config) isGiven(name string) bool {
	_, ok := c.given[name]
	return ok
}
