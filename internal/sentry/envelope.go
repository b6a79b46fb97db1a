package sentry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	sdk "github.com/getsentry/sentry-go"
)

// sdkName is what Sentry knows the SDK by.
const sdkName = "sentry.go"

// protocolVersion is that of Sentry's protocol.
const protocolVersion = "7"

// report is an event on its way to one project.
type report struct {
	dsn      *sdk.Dsn
	envelope []byte
}

// newReport writes e as an envelope of one item: a line of headers, a line of the item's headers, and the item.
// https://develop.sentry.dev/sdk/foundations/transport/envelopes/
func newReport(dsn *sdk.Dsn, e *event) (*report, error) {
	item, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("sentry: encode event: %w", err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `{"event_id":"%s","sent_at":"%s"}`+"\n", e.EventID, time.Now().UTC().Format(time.RFC3339))
	fmt.Fprintf(&out, `{"type":"event","length":%d}`+"\n", len(item))
	out.Write(item)
	out.WriteByte('\n')
	return &report{dsn: dsn, envelope: out.Bytes()}, nil
}

// request is the HTTP request that delivers r.
func (r *report) request() (*http.Request, error) {
	req, err := http.NewRequest(http.MethodPost, r.dsn.GetAPIURL().String(), bytes.NewReader(r.envelope))
	if err != nil {
		return nil, err
	}
	client := sdkName + "/" + sdk.SDKVersion
	auth := "Sentry sentry_version=" + protocolVersion + ", sentry_client=" + client + ", sentry_key=" + r.dsn.GetPublicKey()
	if secret := r.dsn.GetSecretKey(); secret != "" {
		auth += ", sentry_secret=" + secret
	}
	req.Header.Set("X-Sentry-Auth", auth)
	req.Header.Set("User-Agent", client)
	req.Header.Set("Content-Type", "application/x-sentry-envelope")
	return req, nil
}
