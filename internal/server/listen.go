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
	http         net.Listener
	metrics, run net.Listener // nil when they are off
}

// listen takes the sockets that a service manager has passed on, that of the API first, then those of the metrics and
// of RUN_PORT unless they are off (sd_listen_fds(3)), and opens the others itself. A socket that was passed on outlives
// the server: connections wait in it while the next server starts, so that a restart refuses no connection.
func listen(cfg *config.Config) (*listeners, error) {
	l := new(listeners)
	given, err := inherited()
	if err != nil {
		return nil, err
	}
	places := l.places(cfg)
	for len(given) > 0 && len(places) > 0 {
		*places[0].to, given, places = given[0], given[1:], places[1:]
	}
	if err := checkPorts(places); err != nil {
		return nil, errors.Join(err, l.close())
	}
	for _, p := range places {
		if *p.to, err = net.Listen("tcp", net.JoinHostPort(p.host, strconv.Itoa(p.port))); err != nil {
			*p.to = nil
			return nil, errors.Join(listenError(p.hostVariable, p.host, p.portVariable, p.port, err), l.close())
		}
	}
	return l, nil
}

// places are those of the listeners that are not off.
func (l *listeners) places(cfg *config.Config) []place {
	places := []place{{&l.http, "HOST", "PORT", cfg.Host, cfg.Port}}
	if cfg.Metrics {
		places = append(places, place{&l.metrics, "METRICS_HOST", "METRICS_PORT", cfg.MetricsHost, cfg.MetricsPort})
	}
	if cfg.Run {
		places = append(places, place{&l.run, "RUN_HOST", "RUN_PORT", cfg.RunHost, cfg.RunPort})
	}
	return places
}

// inherited are the sockets that were passed on.
func inherited() ([]net.Listener, error) {
	given, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS: %w", err)
	}
	if len(given) > 3 {
		return nil, fmt.Errorf("LISTEN_FDS: %d sockets were passed on, at most 3 have a use: for the API, for metrics and "+
			"for RUN_PORT", len(given))
	}
	for i, l := range given {
		if l == nil {
			return nil, fmt.Errorf("LISTEN_FDS: descriptor %d is not a socket that listens", i+3)
		}
	}
	return given, nil
}

// close closes the listeners that the HTTP servers have not closed.
func (l *listeners) close() error { return closeAll(l.http, l.metrics, l.run) }

// closeCallers closes those for callers of the API and of functions.
func (l *listeners) closeCallers() error { return closeAll(l.http, l.run) }

func closeAll(all ...net.Listener) error {
	var errs []error
	for _, listener := range all {
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
