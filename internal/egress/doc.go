// Package egress is the only way out for functions: a proxy on a Unix socket that knows which call is asking, resolves names itself,
// checks the resolved address and connects to exactly that one. docs/egress.md has the policy and its reasons.
//
//	worker                                     proxy                                    outside
//	 │ CONNECT example.com:443\n ────────────▶ │ who? peer credentials, not claims
//	 │                                         │ resolve, check each address, dial ───────▶ │
//	 │ ◀─────────── 200 TICKET 93.184.216.34\n │                                            │
//	 │ ◀── or 403 EGRESS_DENIED private 10.0.0.1\n, and that is all
//	 │                                         │                                            │
//	 │ on a new connection of the same call:   │                                            │
//	 │ ATTACH TICKET\n, then bytes ──────────▶ │ ─────────────────────────────────────────▶ │
//	 │ ◀────────────────────────────────────── │ ◀───────────────────────────────────────── │
//
// Question and bytes have a connection each, so that TLS in the worker can take over the second one from its first byte: Node.js gives
// a TLS socket to its native code when it is made, long before a name is resolved.
//
// A line has at most maxLine bytes, its parts are separated by one space. The statuses are 200, 403 for what the policy refuses and 502
// for what could not be reached. Everything that belongs to a call is closed when the call ends.
package egress
