package config

import (
	"strings"
	"testing"
)

func TestWhatHasNoEffectIsTold(t *testing.T) {
	for settings, want := range map[string]string{
		"NPM_REGISTRY_TOKEN=t":      "NPM_REGISTRY_TOKEN has no effect: NPM_REGISTRY is not set",
		"NPM_REGISTRY_TOKEN_FILE=t": "NPM_REGISTRY_TOKEN_FILE has no effect: NPM_REGISTRY is not set",
		"NPM_REGISTRY_TOKEN_FILE=t|NPM_REGISTRY=http://h|NPM_CACHE_SIZE=1mb|NPM_PACKAGES_LIMIT=1mb": "",
		"NPM_PACKAGES_LIMIT=1gb|NPM_CACHE_SIZE=1mb":                                                 "NPM_PACKAGES_LIMIT=1gb is more than NPM_CACHE_SIZE, which is 1mb: the smaller one applies",
		"NODE_BINARY=/a|RUNTIMES=a=/b":                                                              "NODE_BINARY has no effect: RUNTIMES takes precedence over it",
		"REDIS_ENDPOINT=redis://h|STORAGE=inmemory":                                                 "REDIS_ENDPOINT has no effect: STORAGE is inmemory",
		"DBAAS_SENTINEL_ENDPOINT=redis://h|STORAGE=embedded":                                        "DBAAS_SENTINEL_ENDPOINT has no effect: STORAGE is embedded",
		"FUNCTION_LOGS_NAMESPACE_MEMORY=65mb":                                                       "FUNCTION_LOGS_NAMESPACE_MEMORY=65mb is more than FUNCTION_LOGS_MEMORY, which is 64mb: the smaller one applies",
		"STREAM_IDLE_TIMEOUT=16m":                                                                   "STREAM_IDLE_TIMEOUT=16m is more than STREAM_TIMEOUT, which is 15m: the smaller one applies",
		"CODE_SYNC_TIMEOUT=6000":                                                                    "CODE_SYNC_TIMEOUT=6000 is more than CODE_ASYNC_TIMEOUT, which is 5000: the smaller one applies",
		"RESPONSE_LIMIT=200mb|WORKER_MEMORY_LIMIT=150mb|HTTP_ANSWER_MEMORY=200mb":                   "RESPONSE_LIMIT=200mb is more than WORKER_MEMORY_LIMIT, which is 150mb: the smaller one applies",
		"WEBSOCKET_MESSAGE_LIMIT=2mb|WEBSOCKET_CONNECTIONS=5":                                       "WEBSOCKET_MESSAGE_LIMIT=2mb is more than BODY_PARSER_LIMIT, which is 1mb: the smaller one applies",
		"WEBSOCKET_MESSAGE_LIMIT=2mb":                                                               "",
		"WEBSOCKET_CONNECTIONS=5|BODY_PARSER_LIMIT=1kb":                                             "",
		"FUNCTION_TIMEOUT_MAX=1s":                                                                   "FUNCTION_TIMEOUT_MAX=1s is less than CODE_ASYNC_TIMEOUT, which is 5000: functions without a timeout of their own have more time than others may ask for",
		"FUNCTION_SYNC_TIMEOUT_MAX=50ms":                                                            "FUNCTION_SYNC_TIMEOUT_MAX=50ms is less than CODE_SYNC_TIMEOUT, which is 100: functions without a timeout of their own have more time than others may ask for",
		"FUNCTION_TIMEOUT_MAX=5s|FUNCTION_SYNC_TIMEOUT_MAX=100ms":                                   "",
		"HOST=web-1": "HOST=web-1 is a name: the server listens at the address that it stands for, and at no other. Backstage Functions did not read HOST, " +
			"which some shells set: unset it, or set it to an address: 0.0.0.0 are all",
		"HOST=localhost|METRICS_HOST=::1|PORT=1": "",
		"HOST=127.0.0.1":                         "",
		"HTTP_BODY_TIMEOUT=61s":                  "HTTP_BODY_TIMEOUT=61s is more than HTTP_READ_TIMEOUT, which is 1m: the smaller one applies",
		"HTTP_HEADER_TIMEOUT=61s":                "HTTP_HEADER_TIMEOUT=61s is more than HTTP_READ_TIMEOUT, which is 1m: the smaller one applies",
		"EGRESS_CONNECTIONS_PER_CALL=2000|EGRESS_ATTEMPTS_PER_CALL=3000":                                 "EGRESS_CONNECTIONS_PER_CALL=2000 is more than EGRESS_CONNECTIONS, which is 1024: the smaller one applies",
		"EGRESS_CONNECTIONS_PER_CALL=20|EGRESS_ATTEMPTS_PER_CALL=3":                                      "EGRESS_CONNECTIONS_PER_CALL=20 is more than EGRESS_ATTEMPTS_PER_CALL, which is 3: the smaller one applies",
		"EGRESS_CONNECT_TIMEOUT=6s":                                                                      "EGRESS_CONNECT_TIMEOUT=6s is more than CODE_ASYNC_TIMEOUT, which is 5000: the smaller one applies",
		"MAX_CONCURRENCY_FUNCTION=3|MAX_CONCURRENCY_NAMESPACE=2":                                         "MAX_CONCURRENCY_FUNCTION=3 is more than MAX_CONCURRENCY_NAMESPACE, which is 2: the smaller one applies",
		"HTTP_READ_TIMEOUT=5s|CODE_ASYNC_TIMEOUT=50|FUNCTION_LOGS_MEMORY=8mb|MAX_CONCURRENCY_FUNCTION=9": "",
	} {
		if got := strings.Join(mustLoad(t, strings.Split(settings, "|")...).Warnings, "\n"); got != want {
			t.Errorf("%s: warnings %q, want %q", settings, got, want)
		}
	}
}

func TestAFaultOfARuleSaysWhatRulesLookLike(t *testing.T) {
	const want = `EGRESS_ALLOW: must be hosts, addresses and ranges, with or without a port and without a scheme, such as ` +
		`api.example.com, *.example.com:443 or 10.0.0.0/8, separated by commas: rule "http://a.example": must be without a ` +
		`scheme, got "http://a.example"`
	if _, err := from("EGRESS_ALLOW=http://a.example"); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestMetricsWithKeysNeedKeys(t *testing.T) {
	const want = "METRICS_AUTH: on needs keys, which there are with AUTH=on or log"
	if _, err := from("METRICS_AUTH=on"); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	mustLoad(t, "METRICS_AUTH=on", "AUTH=log")
	mustLoad(t, "METRICS_AUTH=off")
}

func TestCertificateNeedsItsKey(t *testing.T) {
	for _, setting := range []string{"TLS_CERT_FILE=/a", "TLS_KEY_FILE=/a"} {
		if _, err := from(setting); err == nil || !strings.Contains(err.Error(), "TLS_CERT_FILE, TLS_KEY_FILE: must be set both") {
			t.Errorf("%s: %v", setting, err)
		}
	}
	mustLoad(t, "TLS_CERT_FILE=/a", "TLS_KEY_FILE=/b")
	for _, name := range []string{"TLS_CERT_FILE", "TLS_KEY_FILE"} { // with the content in place of the path
		_, err := from(name+"=-----BEGIN\nCERTIFICATE-----", "TLS_CERT_FILE=/a", "TLS_KEY_FILE=/b")
		if err == nil || !strings.Contains(err.Error(), name+": ") || strings.Contains(err.Error(), "must be set both") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheTokenOfTheRegistryIsGivenOnce(t *testing.T) {
	_, err := from("NPM_REGISTRY=http://h", "NPM_REGISTRY_TOKEN=hunter2", "NPM_REGISTRY_TOKEN_FILE=/f")
	if err == nil || err.Error() != "NPM_REGISTRY_TOKEN, NPM_REGISTRY_TOKEN_FILE: must not be set both" {
		t.Errorf("got %v", err)
	}
}

func TestExposedVariableWithoutANameIsAFault(t *testing.T) {
	if _, err := from("EXPOSE_ENV_=x", "PORT=y"); err == nil || !strings.Contains(err.Error(), "\nEXPOSE_ENV_: must be followed by the name") {
		t.Errorf("got %v", err)
	}
}

func TestTheExampleOfTheFileIsTaken(t *testing.T) {
	_, rest, _ := strings.Cut(fileForm, "```sh\n")
	example, _, _ := strings.Cut(rest, "```")
	c, err := withFile(t, example)
	if err != nil {
		t.Fatal(err)
	}
	env, err := c.ExposeEnv.MarshalJSON()
	if err != nil || c.PoolSize != 16 || len(c.Warnings) > 0 || c.AccessFormat != ":method :url # :status" || string(env) != `{"GREETING":"say \"hello\""}` {
		t.Errorf("%v %s %v", c, env, err)
	}
}

func TestAZoneOfFunctionsThatIsNoneIsTold(t *testing.T) {
	for value, want := range map[string]int{"Asia/Tokyo": 0, "": 0, "Sao_Paulo": 1} {
		if c := mustLoad(t, "EXPOSE_ENV_TZ="+value); len(c.Warnings) != want {
			t.Errorf("%q: the warnings are %q", value, c.Warnings)
		}
	}
}
