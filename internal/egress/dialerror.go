package egress

// DialError says what the policy refuses, or why connecting failed.
type DialError struct {
	address string
	target  target
	failed  *refusal
}

// Error implements error. It is for the log: see Code.
func (e *DialError) Error() string {
	return "egress: connect to " + e.address + ": " + e.failed.Error()
}

// Code is what a function that had tried the same is told, such as "EGRESS_DENIED (rule)" or "ECONNREFUSED": it hides
// that a name leads to an address inside.
func (e *DialError) Code() string {
	shown := e.failed.forWorker(e.target)
	return shown.Error()
}

// Denied says whether the policy refuses it, and to connect was not tried.
func (e *DialError) Denied() bool { return e.failed.reason != "" }

// Names says whether one of rules names the host of address ("host:port"), or its address.
func Names(rules []Rule, address string) bool {
	t, err := parseTarget(address)
	if err != nil {
		return false
	}
	for _, rule := range rules {
		if rule.matchesName(t.name, t.port) || t.addr.IsValid() && rule.matchesAddr(t.addr.Unmap(), t.port) {
			return true
		}
	}
	return false
}
