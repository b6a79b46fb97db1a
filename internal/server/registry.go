package server

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/npm"
	"github.com/backstage/functions/internal/smallfile"
)

// registry is where commands fetch packages.
type registry struct {
	options npm.Options
	shown   string // its address, without a password
}

// openRegistry finds the registry: that of NPM_REGISTRY, else npm's own.
func openRegistry(ctx context.Context, cfg *config.Config, environ []string) (registry, error) {
	address := string(cfg.Packages.Registry)
	token := string(cfg.Packages.Token)
	if address == "" {
		address, token = npmRegistry(ctx, environ), ""
	}
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return registry{}, errors.New("no registry is known to fetch from: set NPM_REGISTRY to the URL of an npm registry, " +
			"or install npm, whose own setting is used then")
	}
	roots, err := registryRoots(cfg)
	if err != nil {
		return registry{}, err
	}
	options := npm.Options{Registry: address, Token: token, Roots: roots, Proxy: cfg.Proxy()}
	if cfg.Packages.Registry != "" {
		options.TokenFile = cfg.Packages.TokenFile
	}
	return registry{options, at.Scheme + "://" + at.Host + at.Path}, nil
}

// registryRoots are the certificate authorities of the system and those of NODE_EXTRA_CA_CERTS.
func registryRoots(cfg *config.Config) (*x509.CertPool, error) {
	if cfg.Egress.ExtraCertFile == "" {
		return nil, nil //nolint:nilnil // those of the system
	}
	text, err := readCertificates(cfg.Egress.ExtraCertFile)
	if err != nil {
		return nil, fmt.Errorf("NODE_EXTRA_CA_CERTS: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM([]byte(text))
	return roots, nil
}

// npmRegistry is the one that npm would use: of its variables, of the user's .npmrc, or as it says itself where it is
// installed. Empty for none.
func npmRegistry(ctx context.Context, environ []string) string {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.EqualFold(name, "npm_config_registry") && value != "" {
			return value
		}
	}
	if address := ofNpmrc(); address != "" {
		return address
	}
	out, err := exec.CommandContext(ctx, "npm", "config", "get", "registry").Output()
	if err != nil {
		return "" // it is not there
	}
	return strings.TrimSpace(string(out))
}

// maxNpmrc is the most bytes of a file that is read.
const maxNpmrc = 1 << 20

// ofNpmrc is the registry that the user's .npmrc names, empty for none.
func ofNpmrc() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	text, err := smallfile.Read(filepath.Join(home, ".npmrc"), maxNpmrc)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, "=")
		if value = strings.Trim(strings.TrimSpace(value), `"`); strings.TrimSpace(name) == "registry" &&
			!strings.Contains(value, "${") {
			return value
		}
	}
	return ""
}
