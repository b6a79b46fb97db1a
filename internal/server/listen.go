package server

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/backstage/functions/internal/config"
)

// listeners are the server's ports, opened before anything else starts.
type listeners struct {
	http    net.Listener
	metrics net.Listener // nil when it is off
}

// listen takes the sockets that a service manager has passed on, that of the API first (sd_listen_fds(3)), and opens
// the others itself. A socket that was passed on outlives the server: connections wait in it while the next server
// starts, so that a restart refuses no connection.
func listen(cfg *config.Config) (*listeners, error) {
	l := new(listeners)
	given, err := inherited()
	if err != nil {
		return nil, err
	}
	if l.http, err = openListener(given, 0, cfg.Host, cfg.Port); err != nil {
		return nil, listenError("HOST", cfg.Host, "PORT", cfg.Port, err)
	}
	if !cfg.Metrics {
		return l, nil
	}
	if l.metrics, err = openListener(given, 1, cfg.MetricsHost, cfg.MetricsPort); err != nil {
		return nil, errors.Join(listenError("METRICS_HOST", cfg.MetricsHost, "METRICS_PORT", cfg.MetricsPort, err),
			l.http.Close())
	}
	return l, nil
}

// inherited are the sockets that were passed on.
func inherited() ([]net.Listener, error) {
	given, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS: %w", err)
	}
	if len(given) > 2 {
		return nil, fmt.Errorf("LISTEN_FDS: %d sockets were passed on, at most 2 have a use: for the API and for metrics",
			len(given))
	}
	for i, l := range given {
		if l == nil {
			return nil, fmt.Errorf("LISTEN_FDS: descriptor %d is not a socket that listens", i+3)
		}
	}
	return given, nil
}

func openListener(given []net.Listener, i int, host string, port int) (net.Listener, error) {
	if i < len(given) {
		return given[i], nil
	}
	return net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
}

// close closes the listeners that the HTTP servers have not closed.
func (l *listeners) close() error {
	var errs []error
	for _, listener := range []net.Listener{l.http, l.metrics} {
		if listener != nil {
			if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// port is that of a listener, or its whole address when that has none.
func port(l net.Listener) string {
	if addr, ok := l.Addr().(*net.TCPAddr); ok {
		return strconv.Itoa(addr.Port)
	}
	return l.Addr().String()
}
