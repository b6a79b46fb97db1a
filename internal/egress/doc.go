// Package egress makes the connections of functions: a proxy on a Unix socket that knows which call is asking, resolves
// names itself, checks the resolved address and connects to exactly that one. docs/egress.md has the policy and its
// reasons.
//
//	worker                                     proxy                                    outside
//	 │ CONNECT example.com:443\n ────────────▶ │ who? peer credentials, not claims
//	 │                                         │ resolve, check each address, dial ───────▶ │
//	 │ ◀────────────────── 200 93.184.216.34\n │                                            │
//	 │ ◀── or 403 EGRESS_DENIED private 10.0.0.1\n, and that is all
//	 │ bytes ────────────────────────────────▶ │ ─────────────────────────────────────────▶ │
//	 │ ◀────────────────────────────────────── │ ◀───────────────────────────────────────── │
//
// TLS in the worker cannot use that: Node.js gives the handle of a TLS socket to its native code when the socket is
// created, long before a name is resolved, and reads whatever arrives there as TLS. So it gets its answer on a separate
// connection:
//
//	│ RESERVE example.com:443\n ────────────▶ │ ─────────────────────────────────────────▶ │
//	│ ◀─────────── 200 93.184.216.34 TICKET\n │
//	│ on a new connection of the same call:   │
//	│ ATTACH TICKET\n, then bytes ──────────▶ │ ─────────────────────────────────────────▶ │
//	│ ◀────────────────────────────────────── │ ◀───────────────────────────────────────── │
//
// While CONNECT or RESERVE waits for a place, a line comes before the answer. The worker then closes connections that
// it only keeps, which makes places:
//
//	│ ◀────────────────────────── 102 waiting\n
//	│ ◀─────────────────── 200 93.184.216.34\n
//
// LOOKUP name and RESOLVE TYPE/name look up names, each on a separate connection and answered by 200 and JSON.
//
// SEND text/ID/LENGTH or bytes/ID/LENGTH, with so many bytes after the line, sends a message to a WebSocket connection
// of the call's own namespace, or, with * for the ID, to all of its own function. HANGUP ID/STATUS/REASON ends one.
// The answer is 200, or 502 and a code.
//
// A ticket is random and valid once, for its call, and for the time of a connect. A line has at most maxLine bytes; one
// space separates its parts. The statuses are 102 before an answer that comes later, 200, 403 for what the policy
// refuses and 502 for what could not be reached. Everything that belongs to a call is closed when the call ends.
package egress
