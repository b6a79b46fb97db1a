package sentry

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"

	sdk "github.com/getsentry/sentry-go"
	"github.com/google/uuid"

	"github.com/backstage/functions/internal/invoke"
)

// Options configure a Reporter. The zero value reports to the addresses of functions and namespaces alone.
type Options struct {
	// DSN is the server's own project; empty for none.
	DSN string
	// Modules are the versions of the modules that functions may require, by name.
	Modules map[string]string
	// Transport carries the reports. Nil stands for one that uses no proxy of the environment's.
	Transport http.RoundTripper
	// Dial connects to the Sentry that a function or a namespace names, unless it is the server's own one, host and
	// port. Nil leaves that to Transport.
	Dial Dial
	// Logger is told of reports that were lost. Nil discards that.
	Logger *slog.Logger
}

// Reporter sends failures to Sentry, in the background. It is an invoke.Reporter, safe for concurrent use. Use New.
type Reporter struct {
	server  *sdk.Dsn // nil for none
	modules map[string]string
	sender  *sender
}

// New starts a Reporter; Close ends it. Its error says what is wrong with Options.DSN.
func New(o Options) (*Reporter, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	r := &Reporter{modules: o.Modules}
	if o.DSN != "" {
		dsn, err := sdk.NewDsn(o.DSN)
		if err != nil {
			return nil, fmt.Errorf("sentry: address of the server's project: %w", err)
		}
		r.server = dsn
	}
	r.sender = newSender(o)
	return r, nil
}

// Report implements invoke.Reporter. The failure goes to the function's project, or else its namespace's, and to the
// server's under an event ID of its own. An address that is no DSN is skipped.
func (r *Reporter) Report(f *invoke.Failure) {
	var e *event // made when it is first needed
	for _, p := range []project{
		r.ownProject(f),
		{dsn: r.server, namespace: f.Function.Ref.Namespace, owner: ownerOf(f), server: true, trusted: true},
	} {
		if p.dsn == nil || !r.sender.accepts(p) {
			continue
		}
		if e == nil {
			e = newEvent(f, r.modules)
		}
		e.EventID = newEventID()
		report, err := newReport(p, e)
		if err != nil {
			r.sender.lose(err)
			return
		}
		r.sender.send(report)
	}
}

// ownProject is the one that the function or its namespace names; its address is nil when there is none that can be
// read.
func (r *Reporter) ownProject(f *invoke.Failure) project {
	text := f.Function.SentryDSN()
	if text == nil || *text == "" {
		return project{}
	}
	dsn, err := sdk.NewDsn(*text)
	if err != nil {
		return project{}
	}
	trusted := r.server != nil && origin(dsn) == origin(r.server)
	return project{dsn: dsn, namespace: f.Function.Ref.Namespace, owner: ownerOf(f), trusted: trusted}
}

// ownerOf is the owner whose reports that of f is queued with.
func ownerOf(f *invoke.Failure) string { return cmp.Or(f.Call.Owner, f.Function.Ref.Namespace) }

// origin is the server of an address.
func origin(dsn *sdk.Dsn) string {
	return fmt.Sprintf("%s://%s:%d", dsn.GetScheme(), dsn.GetHost(), dsn.GetPort())
}

// newEventID is a UUID in the form that Sentry wants: hexadecimal, without dashes.
func newEventID() sdk.EventID {
	id := uuid.New()
	return sdk.EventID(hex.EncodeToString(id[:]))
}

// Close sends what waits, for a few seconds at most, and ends the Reporter. What is reported later is dropped. Close
// may be called again.
func (r *Reporter) Close() { r.sender.close() }
