package egress

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// Errors of the proxy, as functions see them.
const (
	// codeProxyUnreachable: the proxy was not reached, or did not speak HTTP.
	codeProxyUnreachable = "EGRESS_PROXY_UNREACHABLE"
	// codeProxyRefused: it refuses to connect, or wants other credentials.
	codeProxyRefused = "EGRESS_PROXY_REFUSED"
)

// maxProxyAnswer is the most bytes of the head of a proxy's response.
const maxProxyAnswer = 16 << 10

// dialThrough asks the proxy for addrs, one after the other, until one is connected. Without any it asks for the name.
func (d *Dialer) dialThrough(ctx context.Context, t target, addrs []netip.Addr) (net.Conn, netip.Addr, *refusal) {
	if d.o.Upstream.Names && t.name != "" || len(addrs) == 0 {
		addr := netip.IPv4Unspecified() // only the proxy knows it
		if len(addrs) > 0 {
			addr = addrs[0]
		}
		conn, failed := d.tunnel(ctx, t, t.String())
		return conn, addr, failed
	}
	var first *refusal
	for _, addr := range addrs {
		conn, failed := d.tunnel(ctx, t, netip.AddrPortFrom(addr, t.port).String())
		if failed == nil {
			return conn, addr, nil
		}
		failed.addr = addr
		if first == nil {
			first = failed
		}
		if failed.code == codeProxyUnreachable || failed.code == codeProxyRefused || ctx.Err() != nil {
			break // the next answer would be the same
		}
	}
	return nil, netip.Addr{}, first
}

// tunnel is a connection through the proxy.
func (d *Dialer) tunnel(ctx context.Context, t target, asked string) (net.Conn, *refusal) {
	u := d.o.Upstream
	conn, err := u.dial(ctx)
	if err != nil {
		d.tellOfProxy("Egress: the proxy cannot be reached", t, "error", err.Error())
		return nil, &refusal{code: codeProxyUnreachable}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	status, early, err := u.ask(conn, asked)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err == nil && status/100 == 2 {
		return &tunnelled{Conn: conn, early: early}, nil
	}
	_ = conn.Close() // nothing was promised
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, &refusal{code: "ETIMEDOUT"}
	case err != nil:
		d.tellOfProxy("Egress: the proxy does not answer as an HTTP proxy does", t, "error", err.Error())
		return nil, &refusal{code: codeProxyUnreachable}
	case status == http.StatusGatewayTimeout:
		return nil, &refusal{code: "ETIMEDOUT"}
	case status/100 == 5:
		return nil, &refusal{code: "ECONNREFUSED"}
	default:
		d.tellOfProxy("Egress: the proxy refuses", t, "status", strconv.Itoa(status)+" "+http.StatusText(status))
		return nil, &refusal{code: codeProxyRefused}
	}
}

// tellOfProxy logs problems with the proxy, from time to time.
func (d *Dialer) tellOfProxy(what string, t target, key, why string) {
	if tell, untold := d.o.Upstream.told.now(); tell {
		d.o.Logger.Warn(what, "proxy", d.o.Upstream.String(), "target", t.String(), key, why, "untold", untold)
	}
}

// dial connects to the proxy itself. The operator chose it, so no policy applies to its address.
func (u *Upstream) dial(ctx context.Context) (net.Conn, error) {
	plain := &net.Dialer{KeepAlive: -1}
	if !u.secure {
		return plain.DialContext(ctx, "tcp", u.address)
	}
	config := &tls.Config{ServerName: u.host, RootCAs: u.Roots, MinVersion: tls.VersionTLS12}
	secure := &tls.Dialer{NetDialer: plain, Config: config}
	return secure.DialContext(ctx, "tcp", u.address)
}

// ask makes the proxy connect to target. Early is what came after its response.
func (u *Upstream) ask(conn net.Conn, target string) (status int, early []byte, err error) {
	request := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
	if u.authorization != "" {
		request += "Proxy-Authorization: " + u.authorization + "\r\n"
	}
	if _, err := conn.Write([]byte(request + "\r\n")); err != nil {
		return 0, nil, err
	}
	head, early, err := readHead(conn)
	if err != nil {
		return 0, nil, err
	}
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return 0, nil, errNoProxy
	}
	_ = response.Body.Close() // only the head was read
	return response.StatusCode, early, nil
}

var errNoProxy = errors.New("no answer of HTTP")

// readHead reads up to the empty line, and also returns what came after it.
func readHead(conn net.Conn) (head, early []byte, err error) {
	end := []byte("\r\n\r\n")
	buffer := make([]byte, 0, maxProxyAnswer)
	for len(buffer) < cap(buffer) {
		n, err := conn.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if at := bytes.Index(buffer, end); at >= 0 {
			return buffer[:at+len(end)], bytes.Clone(buffer[at+len(end):]), nil
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, errNoProxy
}

// tunnelled is a connection through a proxy: what came with the proxy's response is read first.
type tunnelled struct {
	net.Conn
	early []byte
}

// Read implements io.Reader.
func (t *tunnelled) Read(into []byte) (int, error) {
	if len(t.early) == 0 {
		return t.Conn.Read(into)
	}
	n := copy(into, t.early)
	t.early = t.early[n:]
	return n, nil
}

// CloseWrite tells the other side that no more data comes.
func (t *tunnelled) CloseWrite() error {
	return t.Conn.(interface{ CloseWrite() error }).CloseWrite() // TCP and TLS have it
}
