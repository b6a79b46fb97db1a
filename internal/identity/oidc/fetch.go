package oidc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/backstage/functions/internal/identity"
)

var errDocument = fmt.Errorf("its answer has more than %d bytes", maxDocument)

// newClient returns a client for the documents of an issuer. Its connections do not stay: minutes pass between fetches.
func newClient(issuer string, authorities *x509.CertPool) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // as net/http has it
	transport.DisableKeepAlives = true
	transport.TLSClientConfig = &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}
	return &http.Client{
		Transport: bounded{transport, issuer}, Timeout: fetchTimeout,
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("it redirects too often")
			}
			return nil // where it leads to is checked by bounded
		},
	}
}

// bounded is a RoundTripper for addresses that an issuer may have, with answers of a bounded size.
type bounded struct {
	next   http.RoundTripper
	issuer string
}

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := checkAddress(b.issuer, r.URL.String()); err != nil {
		return nil, err
	}
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: maxDocument}
	return response, nil
}

// checkAddress says why something that belongs to the issuer may not have that address.
func checkAddress(issuer, address string) error {
	if err := identity.CheckURL(address); err != nil {
		return err
	}
	if strings.HasPrefix(issuer, "https:") && !strings.HasPrefix(address, "https:") {
		return fmt.Errorf("it leads from https to %q", address)
	}
	return nil
}

// boundedBody fails after so many bytes.
type boundedBody struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errDocument
	}
	return n, err
}

// fetch returns the keys that the issuer has now.
func fetch(ctx context.Context, client *http.Client, issuer string) (keys, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, client), issuer)
	if err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	var about struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&about); err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	text, err := get(ctx, client, about.Keys)
	if err != nil {
		return nil, fmt.Errorf("fetch its keys: %w", err)
	}
	return parseKeys(text)
}

func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", response.Status)
	}
	return io.ReadAll(response.Body)
}
