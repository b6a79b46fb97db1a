package egress

// Reason is one word for why the policy refused a target. Workers, logs and metrics show it.
type Reason string

// The reasons of a refusal.
const (
	// ReasonOff: EGRESS is off and nothing allows the target.
	ReasonOff Reason = "off"
	// ReasonRule: a rule of EGRESS_DENY.
	ReasonRule Reason = "rule"
	// ReasonPort: mail, which functions may not send.
	ReasonPort Reason = "port"
	// ReasonHost: the argument is neither a host name nor an address, or a disguised address.
	ReasonHost Reason = "bad_host"
	// ReasonLimit: too many attempts of this call, or too many of its connections or of all at once.
	ReasonLimit Reason = "limit"
	// ReasonNoCall: the peer is not a worker with a call.
	ReasonNoCall Reason = "no_call"
	// ReasonProtocol: the peer does not speak the protocol.
	ReasonProtocol Reason = "protocol"

	// Kinds of addresses that are not public.
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

// codeGivenUp is for an attempt whose call has ended.
const codeGivenUp = "ECANCELED"

// codeDenied is the error code of every refusal, as functions see it. Failed connections have the codes of Node.js.
const codeDenied = "EGRESS_DENIED"
