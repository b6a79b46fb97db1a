package server

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"

	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/httpd/certificate"
	"github.com/backstage/functions/internal/observe/auditlog"
)

// reloader reads the configuration again when the operator asks for it, and applies what can change while the server
// runs.
type reloader struct {
	log      *slog.Logger
	load     func() (*config.Config, error)
	level    *slog.LevelVar
	policies *egress.Policies
	// started is the configuration at the start, current the one in force. trusted are the files of certificates as they
	// were read.
	started, current *config.Config
	trusted          authorities
	terminal         bool              // the server was started from one
	certificate      *certificate.Pair // nil without TLS
	audit            *auditlog.File    // nil if no file has records
	// runtimes gets each configuration that is applied.
	runtimes chan *config.Config
}

// newReloader remembers what cfg was loaded from.
func newReloader(
	cfg *config.Config, load func() (*config.Config, error), out *outputs, policies *egress.Policies, trusted authorities,
) *reloader {
	return &reloader{
		log: out.app, load: load, level: out.level, policies: policies, started: cfg, current: cfg, trusted: trusted,
		terminal: onTerminal(), runtimes: make(chan *config.Config),
	}
}

// watch handles reload requests until ctx ends. Closing the terminal from which the server was started sends the same
// signal and stops the server.
func (r *reloader) watch(ctx context.Context, requests <-chan os.Signal, end func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-requests:
			if r.terminal && !onTerminal() {
				r.log.Info("The terminal was closed")
				end()
				return
			}
			if r.reload() {
				select {
				case r.runtimes <- r.current:
				case <-ctx.Done():
				}
			}
			if r.certificate != nil {
				r.certificate.Reload()
			}
			r.reopenAudit()
		}
	}
}

// reopenAudit goes on with the file of records that has its name now.
func (r *reloader) reopenAudit() {
	if r.audit == nil {
		return
	}
	if err := r.audit.Reopen(); err != nil {
		r.log.Error("AUDIT_FILE cannot be opened anew: records go on to the file before", "error", err)
	}
}

// reload applies everything that has changed and can be applied, or nothing if there is an error anywhere. Runtimes are
// the keeper's.
func (r *reloader) reload() (applied bool) {
	next, err := r.load()
	if failed, ok := errors.AsType[*config.LoadError](err); ok {
		r.warn(failed.Warnings)
	}
	if err != nil {
		r.log.Error("Configuration not reloaded: it stays as it was", "error", err)
		return false
	}
	r.warn(next.Warnings)
	level, err := levelOf(next)
	if err != nil { // checked by config
		r.log.Error("Configuration not reloaded: it stays as it was", "error", err)
		return false
	}
	r.policies.Replace(next.Egress.Policy, next.Egress.Namespaces)
	r.level.Set(min(level, slog.LevelInfo)) // log the result in any case
	r.tell(next)
	r.level.Set(level)
	r.current = next
	return true
}

func (r *reloader) warn(warnings []string) {
	for _, warning := range warnings {
		r.log.Warn(warning)
	}
}

// tell logs what next changes.
func (r *reloader) tell(next *config.Config) {
	changed, _ := r.current.Changes(next)
	switch {
	case len(changed) > 0:
		r.log.Info("Configuration reloaded", "changed", strings.Join(changed, " "))
	case next.File == "":
		r.log.Info("Configuration reloaded: nothing has changed, because CONFIG_FILE is not set " +
			"and the environment stays as it is")
	default:
		r.log.Info("Configuration reloaded: nothing that can change without a restart has changed")
	}
	_, restart := r.started.Changes(next)
	restart = append(restart, r.authoritiesChanged(next)...)
	if len(restart) > 0 {
		r.log.Warn("Configuration needs a restart for what has changed since the start",
			"changed", strings.Join(restart, " "))
	}
}

// authoritiesChanged names the variables whose files of trusted certificates have changed. The fork server has read
// them.
func (r *reloader) authoritiesChanged(next *config.Config) []string {
	then, now := r.started.Egress, next.Egress
	if then.UseCertFile != now.UseCertFile || then.CertFile != now.CertFile || then.ExtraCertFile != now.ExtraCertFile {
		return nil // the variables have changed
	}
	trusted, err := readAuthorities(next)
	if err != nil {
		r.log.Error("The server could not start again with this file", "error", err)
		return nil
	}
	var names []string
	if trusted.file != r.trusted.file {
		names = append(names, "SSL_CERT_FILE")
	}
	if trusted.extra != r.trusted.extra {
		names = append(names, "NODE_EXTRA_CA_CERTS")
	}
	return names
}
