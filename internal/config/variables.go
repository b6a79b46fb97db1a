package config

// groups are all variables, in the order in which they are read and documented.
var groups = []struct {
	name      string
	variables []Variable
}{
	{"Server", serverVariables},
	{"Storage", storageVariables},
	{"Functions", functionsVariables},
	{"Workers", workersVariables},
	{"Logs", logsVariables},
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

// none derives no value: the default is the absence of one.
func none(*Config, machine) string { return "" }

// unused are the variables of the original that have no effect.
var unused = []Unused{
	{"REDIS_HEARTBEAT_SECS", "Lost connections to Redis are noticed and replaced by themselves."},
	{"REDIS_HEARTBEAT_TIMEOUT", "As above."},
	{"REDIS_HEARTBEAT_STANCH", "As above."},
	{"HTTP_KEEP_ALIVE", "Functions have no shared HTTP agents."},
	{"FUNCTIONS_USE_SSL_CERT_FILE", "Functions have no shared HTTP agents."},
	{"TRACE_ENGINE", "This version sends no traces."},
	{"OTEL_COLLECTOR_HOST", "This version sends no traces."},
	{"OPENTRACING_ENGINE", "This version sends no traces."},
	{"SENTRY_DSN", "This version sends nothing to Sentry."},
	{"METRIC_CLIENT", "The original read it and did nothing with it."},
}
