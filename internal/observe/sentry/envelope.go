package sentry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/backstage/functions/sandbox/rawjson"
	sdk "github.com/getsentry/sentry-go"
)

// sdkName is what Sentry knows the SDK by.
const sdkName = "sentry.go"

// protocolVersion is that of Sentry's protocol.
const protocolVersion = "7"

// project is where reports go.
type project struct {
	dsn *sdk.Dsn
	// namespace is where the failures are. Unless server is set it has named the project, itself or by a function.
	// Owner is whose namespace it is: owners are served round robin.
	namespace string
	owner     string
	server    bool // the server's own
	trusted   bool // on a host that the operator trusts, no matter who named it
}

// key tells projects apart: what one namespace may not reach another one may.
func (p project) key() string { return p.namer() + " " + p.dsn.String() }

// hostKey tells the hosts of projects apart, in the same way.
func (p project) hostKey() string { return p.namer() + " " + origin(p.dsn) }

// namer is the namespace that has named the project; empty for the server's own.
func (p project) namer() string {
	if p.server {
		return ""
	}
	return p.namespace
}

// report is an event on its way to one project.
type report struct {
	project  project
	envelope []byte
}

// newReport writes e as an envelope of one item: a line of headers, a line of the item's headers, and the item.
// https://develop.sentry.dev/sdk/foundations/transport/envelopes/
func newReport(p project, e *event) (*report, error) {
	item, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("sentry: encode event: %w", err)
	}
	whole := rawjson.NewObject(make([]byte, 0, len(item)+256))
	whole.String("event_id", string(e.EventID))
	whole.String("sent_at", time.Now().UTC().Format(time.RFC3339))
	header := rawjson.NewObject(append(whole.End(), '\n'))
	header.String("type", "event")
	header.Int("length", int64(len(item)))
	envelope := append(append(header.End(), '\n'), item...)
	return &report{project: p, envelope: append(envelope, '\n')}, nil
}

// request is the HTTP request that delivers r.
func (r *report) request() (*http.Request, error) {
	//nolint:noctx // its sender has a timeout
	req, err := http.NewRequest(http.MethodPost, r.project.dsn.GetAPIURL().String(), bytes.NewReader(r.envelope))
	if err != nil {
		return nil, err
	}
	client := sdkName + "/" + sdk.SDKVersion
	auth := "Sentry sentry_version=" + protocolVersion + ", sentry_client=" + client +
		", sentry_key=" + r.project.dsn.GetPublicKey()
	if secret := r.project.dsn.GetSecretKey(); secret != "" {
		auth += ", sentry_secret=" + secret
	}
	req.Header.Set("X-Sentry-Auth", auth)
	req.Header.Set("User-Agent", client)
	req.Header.Set("Content-Type", "application/x-sentry-envelope")
	return req, nil
}
