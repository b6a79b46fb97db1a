package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// dialer returns a function that connects to Redis within timeout, over TLS if config is not nil.
func dialer(
	config *tls.Config, timeout time.Duration,
) func(ctx context.Context, network, addr string) (net.Conn, error) {
	dial := redis.NewDialer(&redis.Options{DialTimeout: timeout, TLSConfig: config})
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, named(err)
		}
		if err := forgetUnsent(conn); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return conn, nil
	}
}

// named adds to an error about an authority that is not trusted what names it.
func named(err error) error {
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return fmt.Errorf("%w (REDIS_CA_FILE names those that the server trusts for Redis)", err)
	}
	return err
}

// forgetUnsent makes the kernel discard unsent data when conn is closed (SO_LINGER, socket(7)). By default it would
// retry for minutes: a write that was answered as failed would arrive once the network is back, and replace a newer
// one.
func forgetUnsent(conn net.Conn) error {
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn()
	}
	if plain, ok := conn.(*net.TCPConn); ok {
		return plain.SetLinger(0)
	}
	return nil // a socket of this machine loses nothing
}
