package egress

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"
)

// maxLine is the longest line of the protocol with its newline: a verb, a name of 253 letters of up to four bytes, a
// port.
const maxLine = 1100

var errLine = errors.New("egress: not a request")

// readRequest reads the one line that a worker may send, within timeout: a verb and an argument. Early is what follows
// it.
func readRequest(conn net.Conn, timeout time.Duration) (verb, argument string, early []byte, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return "", "", nil, err
	}
	buffer := make([]byte, 0, maxLine)
	for {
		n, err := conn.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if end := bytes.IndexByte(buffer, '\n'); end >= 0 {
			verb, argument, ok := strings.Cut(string(buffer[:end]), " ")
			if !ok || strings.ContainsFunc(argument, notPrinted) {
				return "", "", nil, errLine
			}
			return verb, argument, buffer[end+1:], conn.SetReadDeadline(time.Time{})
		}
		if err != nil {
			return "", "", nil, err
		}
		if len(buffer) == cap(buffer) {
			return "", "", nil, errLine
		}
	}
}

// notPrinted says whether a character must not be part of an argument: spaces and control characters would make a line
// ambiguous.
func notPrinted(r rune) bool { return r <= ' ' || r == 0x7f || r == 0xfffd }

// refusal is why an attempt failed: by the policy if reason is set, otherwise with an error code of Node.js.
type refusal struct {
	reason Reason
	code   string
	addr   netip.Addr
	// names are those that the refused records lead to. They are for the log alone.
	names []string
}

// Error implements error.
func (r *refusal) Error() string {
	if r.reason != "" {
		return codeDenied + " (" + string(r.reason) + ")"
	}
	return r.code
}

// forWorker is the refusal as the worker that asked for t sees it. Functions must not learn that a name leads to an
// address inside: for them the name does not exist.
func (r *refusal) forWorker(t target) refusal {
	if t.name != "" && r.reason != "" && r.addr.IsValid() && notPublic(r.addr) != "" {
		return refusal{code: codeNotFound}
	}
	return *r
}

// result is the refusal for observers.
func (r *refusal) result() string {
	if r.reason != "" {
		return string(r.reason)
	}
	return r.code
}

// refuse writes the answer to an attempt that failed.
func refuse(conn net.Conn, r refusal) {
	addr := "-"
	if r.addr.IsValid() {
		addr = r.addr.String()
	}
	line := "502 " + r.code + " - " + addr + "\n"
	if r.reason != "" {
		line = "403 " + codeDenied + " " + string(r.reason) + " " + addr + "\n"
	}
	writeLine(conn, line)
}

// waitingLine is what a worker reads before the answer to an attempt that waits for a place: it may close what it only
// keeps.
const waitingLine = "102 waiting\n"

// writeLine writes the one line of an answer, or waitingLine before it. Nothing else is on its connection, so both fit
// into the socket's buffer and never block.
func writeLine(conn net.Conn, line string) {
	_, _ = conn.Write([]byte(line)) // a worker that is gone needs no answer
}
