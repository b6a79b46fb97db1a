package sockets

import (
	"crypto/rand"
	"strings"
)

// An ID is the name of the server that has the socket, a hyphen, and 128 random bits. Letters and digits are those of
// base32 (RFC 4648), so that it is a part of a path, of a line and of a name of a channel as it is.
const (
	serverName = 13
	randomPart = 26
)

func newServerName() string { return rand.Text()[:serverName] }

func newID(server string) string { return server + "-" + rand.Text() }

// serverOf is the name of the server in an ID; ok is false for what is none.
func serverOf(id string) (server string, ok bool) {
	server, random, found := strings.Cut(id, "-")
	ok = found && len(server) == serverName && len(random) == randomPart && isBase32(server) && isBase32(random)
	return server, ok
}

func isBase32(text string) bool {
	return strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}
