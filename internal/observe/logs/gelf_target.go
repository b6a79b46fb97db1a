package logs

import (
	"fmt"
	"net"
	"time"
)

// How a target is looked up: so long it may take, so long the answer is used, so long nothing is tried after a failure.
const (
	dialTimeout = 2 * time.Second
	dialAgain   = time.Minute
	dialBackoff = 5 * time.Second
)

// gelfTarget is one "host:port" that messages are sent to. It is not safe for concurrent use.
type gelfTarget struct {
	address string
	conn    net.Conn
	// until is when the address is looked up again, for it may have moved.
	until time.Time
	// failure is why it could not be looked up, and holds until then.
	failure error
}

// send sends the datagrams of one message. A failure may also be that of the message before: UDP tells late.
func (t *gelfTarget) send(datagrams [][]byte) error {
	if err := t.connect(); err != nil {
		return err
	}
	for _, datagram := range datagrams {
		if _, err := t.conn.Write(datagram); err != nil {
			t.close()
			return fmt.Errorf("gelf: %w", err)
		}
	}
	return nil
}

func (t *gelfTarget) connect() error {
	now := time.Now()
	if now.Before(t.until) && (t.conn != nil || t.failure != nil) {
		return t.failure
	}
	t.close()
	// IPv4 goes first, as it did in the original: "localhost" may be both, and any address can be dialled.
	conn, err := net.DialTimeout("udp4", t.address, dialTimeout)
	if err != nil {
		conn, err = net.DialTimeout("udp", t.address, dialTimeout)
	}
	if err != nil {
		t.failure, t.until = fmt.Errorf("gelf: %w", err), now.Add(dialBackoff)
		return t.failure
	}
	t.conn, t.failure, t.until = conn, nil, now.Add(dialAgain)
	return nil
}

func (t *gelfTarget) close() {
	if t.conn != nil {
		_ = t.conn.Close() // nothing is lost with it
		t.conn = nil
	}
}
