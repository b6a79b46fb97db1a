// Package sockets holds the WebSocket connections of functions, so that no worker has to: what happens on one is a call
// of its function, and a connection on which nothing happens needs no worker.
//
//	caller                          socket                                      pool
//	 │ GET, Upgrade ───────────────▶ a place? ── call "open" ────────────────────▶ │
//	 │ ◀── 101, or what it answered ◀──────────────────────────────────────────── │
//	 │ message ────────────────────▶ queue ──── call "message", one at a time ───▶ │
//	 │ ◀── its answer ◀────────────────────────────────────────────────────────── │
//	 │ ◀── message ◀── outbox ◀── Send, from anywhere
//	 │ close ──────────────────────▶ queue ──── call "close", the last one ──────▶ │
//
// A full queue stops reading, so that TCP makes the caller wait. A full outbox refuses what is sent to it.
package sockets
