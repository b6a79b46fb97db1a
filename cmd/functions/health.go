package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/observe/logs"
)

// healthTimeout is the longest that a healthy server takes to answer.
const healthTimeout = 4 * time.Second

func newHealth() *cobra.Command {
	var ready bool
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the server on this machine whether it is alive; exit code 0 means yes",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("health takes no arguments except --ready, got %q", args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := "/livez"
			if ready {
				path = "/readyz"
			}
			return askHealth(cmd.Context(), path, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&ready, "ready", false, "ask whether it can take calls")
	return cmd
}

// askHealth asks the server with the same environment for path and writes its answer to out. It asks on the metrics
// port, where callers do not use up the connections, unless that port is off.
func askHealth(ctx context.Context, path string, out io.Writer) error {
	cfg, err := config.Load(os.LookupEnv, os.Environ())
	if err != nil {
		return err
	}
	host, port, scheme := cfg.Host, cfg.Port, "http"
	if cfg.TLSCertFile != "" {
		scheme = "https"
	}
	if cfg.Metrics {
		host, port, scheme = cfg.MetricsHost, cfg.MetricsPort, "http"
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	url := scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port)) + path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	client := http.Client{Transport: &http.Transport{ // no proxy
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // it asks its own machine, by another name
	}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("health: %s: %s", response.Status, text)
	}
	_, err = fmt.Fprintln(out, logs.Plain(string(text)))
	return err
}
