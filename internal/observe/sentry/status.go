package sentry

import (
	"context"
	"fmt"
	"net/http"
)

// Check asks the server's own Sentry whether it is there. The message says so in the contract's words; with an error it
// is what a caller may know of it. The wait is bounded by ctx alone.
func (r *Reporter) Check(ctx context.Context) (message string, err error) {
	if r.server == nil {
		return "SENTRY_DSN is not setted yet", nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.statusURL(), nil)
	if err != nil {
		return "", fmt.Errorf("sentry: %w", err)
	}
	answer, err := r.sender.client.Do(req)
	if err != nil {
		return "Sentry cannot be reached", fmt.Errorf("sentry: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP status: %d requesting sentry", answer.StatusCode)
		return err.Error(), err
	}
	return "OK", nil
}

// statusURL is the address of the API's root, which needs no key.
func (r *Reporter) statusURL() string {
	u := r.server.GetAPIURL()
	u.Path = "/api/0/"
	return u.String()
}
