package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/sandbox"
)

// needsGroups says whether this process is to serve with limits on workers. What is wrong with the configuration is serve's to say.
func needsGroups() bool {
	if !isServer(os.Args) {
		return false
	}
	cfg, err := config.Load(os.LookupEnv, os.Environ())
	return err == nil && cfg.Isolation != sandbox.IsolationNone
}

// healthTimeout is the longest that a healthy server takes to answer.
const healthTimeout = 4 * time.Second

// askHealth asks the server that has the same environment whether it lives, as a container's health check does, or with
// --ready whether it can take calls, and writes its answer to out. It asks on the port of the metrics, where no caller takes
// the connections, unless that port is off.
func askHealth(ctx context.Context, args []string, out io.Writer) error {
	path := "/livez"
	switch {
	case len(args) == 1 && args[0] == "--ready":
		path = "/readyz"
	case len(args) > 0:
		return fmt.Errorf("health takes no argument but --ready, got %q", args)
	}
	cfg, err := config.Load(os.LookupEnv, os.Environ())
	if err != nil {
		return err
	}
	host, port := cfg.Host, cfg.Port
	if cfg.Metrics {
		host, port = cfg.MetricsHost, cfg.MetricsPort
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	client := http.Client{Transport: new(http.Transport)} // through no proxy
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("health: %s: %s", response.Status, text)
	}
	_, err = fmt.Fprintln(out, string(text))
	return err
}
