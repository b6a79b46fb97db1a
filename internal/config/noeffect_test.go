package config

import (
	"slices"
	"strings"
	"testing"
)

func TestVariablesOfNodeThatDoNothingAreNamedInOneLine(t *testing.T) {
	environ := []string{
		"NODE_OPTIONS=--max-old-space-size=4096", "NODE_TLS_REJECT_UNAUTHORIZED=0", "NODE_DEBUG=http",
		"NODE_USE_ENV_PROXY=1", "UV_THREADPOOL_SIZE=64", "LANG=pt_BR.UTF-8", "METRIC_CLIENT=x", "NODE_NEW_IN_A_LATER_VERSION=1",
		// These are others', have an effect, are set to nothing or to what holds anyway.
		"NODE_VERSION=24.1.0", "NODE_NAME=node-7", "NODE_PORT_8080_TCP=tcp://10.0.0.1:8080", "NODE_SERVICE_HOST=10.0.0.1",
		"NODE_BINARY=/usr/bin/node", "NODE_ICU_DATA=/x", "NODE_EXTRA_CA_CERTS=/y", "NODE_PATH=", "LC_ALL=C.UTF-8",
		"LC_TIME=de_DE", "PATH=/bin", "TZ=UTC",
	}
	var names []string
	for _, u := range WithoutEffect(environ) {
		names = append(names, u.Name)
	}
	want := []string{
		"LANG", "METRIC_CLIENT", "NODE_DEBUG", "NODE_NEW_IN_A_LATER_VERSION", "NODE_OPTIONS", "NODE_TLS_REJECT_UNAUTHORIZED",
		"NODE_USE_ENV_PROXY", "UV_THREADPOOL_SIZE",
	}
	if !slices.Equal(names, want) {
		t.Errorf("without effect are %q, want %q", names, want)
	}
	c := mustLoad(t, environ...)
	const begins = "Set, but without effect on functions: LANG, NODE_DEBUG, "
	if len(c.Warnings) != 1 || !strings.HasPrefix(c.Warnings[0], begins) ||
		!strings.Contains(c.Warnings[0], "EGRESS_TLS_INSECURE=true") || strings.Contains(c.Warnings[0], "4096") {
		t.Errorf("the warnings are %q", c.Warnings)
	}
}

// What holds anyway asks for nothing: least of all for checks of certificates to be switched off.
func TestAVariableThatAsksForWhatHoldsIsNotNamed(t *testing.T) {
	if all := WithoutEffect([]string{"NODE_TLS_REJECT_UNAUTHORIZED=1"}); all != nil {
		t.Errorf("without effect are %v", all)
	}
}

func TestEveryStartWarnsThatCertificatesAreNotChecked(t *testing.T) {
	if c := mustLoad(t, "EGRESS_TLS_INSECURE=true"); !c.Egress.TLSInsecure || len(c.Warnings) != 1 {
		t.Errorf("insecure %v, with the warnings %q", c.Egress.TLSInsecure, c.Warnings)
	}
	for _, setting := range []string{"EGRESS_TLS_INSECURE=false", "NODE_TLS_REJECT_UNAUTHORIZED=0"} {
		if c := mustLoad(t, setting); c.Egress.TLSInsecure {
			t.Errorf("%s switches the check off", setting)
		}
	}
}
