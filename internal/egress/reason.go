package egress

// Reason says in one word why the policy refused a target. Workers, logs and metrics see it.
type Reason string

// The reasons of a refusal.
const (
	// ReasonOff: EGRESS is off and nothing allows the target.
	ReasonOff Reason = "off"
	// ReasonRule: a rule of EGRESS_DENY.
	ReasonRule Reason = "rule"
	// ReasonPort: mail, which is not for functions.
	ReasonPort Reason = "port"
	// ReasonHost: what was asked for is no host name and no address, or an address in disguise.
	ReasonHost Reason = "bad_host"
	// ReasonLimit: too many attempts of this call, or too many of its connections or of all at once.
	ReasonLimit Reason = "limit"
	// ReasonNoCall: the peer is not a worker with a call.
	ReasonNoCall Reason = "no_call"
	// ReasonProtocol: the peer does not speak the protocol.
	ReasonProtocol Reason = "protocol"

	// The kinds of address that are not public.
	ReasonPrivate     Reason = "private"
	ReasonLoopback    Reason = "loopback"
	ReasonLinkLocal   Reason = "link_local"
	ReasonMetadata    Reason = "metadata"
	ReasonMulticast   Reason = "multicast"
	ReasonUnspecified Reason = "unspecified"
	ReasonReserved    Reason = "reserved"
	// ReasonOwn: an address of this machine.
	ReasonOwn Reason = "own_address"
)

// codeNotFound is the code of Node.js for a name without an address.
const codeNotFound = "ENOTFOUND"

// codeGivenUp is for an attempt that nobody waits for any more.
const codeGivenUp = "ECANCELED"

// codeDenied is the error code of every refusal, as functions see it. What could not be reached has the code of Node.js for it.
const codeDenied = "EGRESS_DENIED"
