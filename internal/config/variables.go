package config

// groups are all variables, in the order in which they are read and documented.
var groups = []struct {
	name      string
	variables []Variable
}{
	{"Server", serverVariables},
	{"Storage", storageVariables},
	{"Keys of callers", authVariables},
	{"Limits and usage", limitVariables},
	{"Where callers come from", reachVariables},
	{"Audit", auditVariables},
	{"Secrets", secretsVariables},
	{"Functions", functionsVariables},
	{"Packages", packagesVariables},
	{"Workers", workersVariables},
	{"Runtimes", runtimesVariables},
	{"Connections", connectionsVariables},
	{"Asynchronous calls", callsVariables},
	{"Egress", egressVariables},
	{"Logs", logsVariables},
	{"Kept output", keptVariables},
	{"Errors", errorsVariables},
	{"Traces", tracesVariables},
	{"Traces, as OpenTelemetry's SDK reads them", sdkVariables},
}

// variables are those of all groups.
var variables = inGroups()

func inGroups() []Variable {
	var all []Variable
	for _, group := range groups {
		for _, v := range group.variables {
			v.Group = group.name
			all = append(all, v)
		}
	}
	return all
}

// none derives no value: by default there is none.
func none(*Config, machine) string { return "" }

// unused are the variables of the original that have no effect.
var unused = []Unused{
	{"REDIS_HEARTBEAT_SECS", "Lost connections to Redis are noticed and replaced by themselves."},
	{"REDIS_HEARTBEAT_TIMEOUT", "As above."},
	{"REDIS_HEARTBEAT_STANCH", "As above."},
	{"JAEGER_SAMPLER_TYPE", "`OTEL_TRACES_SAMPLER` chooses which traces are sent."},
	{"JAEGER_SAMPLER_PARAM", "As above, `OTEL_TRACES_SAMPLER_ARG`."},
	{"METRIC_CLIENT", "The original, from 0.2.12 on, read it and did nothing with it: metrics are those of Prometheus."},
	{"METRIC_UDP_HOST", "As above."},
	{"METRIC_UDP_PORT", "As above."},
}
