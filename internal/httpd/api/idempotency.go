package api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox"
)

// keyLife is how long an idempotency key counts, at most as long as records are kept.
const keyLife = 24 * time.Hour

// longestKey is the longest idempotency key that is taken, in bytes.
const longestKey = 255

var errKeyReused = outcome.New(outcome.Outcome{
	Status: http.StatusUnprocessableEntity, Reason: "idempotency_key_reused", Fault: outcome.FaultCaller,
	Message: "The Idempotency-Key belongs to another request: use a new one",
})

const headerIdempotency = "Idempotency-Key"

// idempotencyKey is that of r; empty for none.
func idempotencyKey(r *http.Request) (string, error) {
	keys := r.Header[headerIdempotency]
	if len(keys) == 0 {
		return "", nil
	}
	key := strings.TrimSpace(keys[0])
	if inner, ok := strings.CutPrefix(key, `"`); ok { // a string of RFC 8941
		key = strings.TrimSuffix(inner, `"`)
	}
	if len(keys) > 1 || key == "" || len(key) > longestKey {
		return "", outcome.BadRequest(fmt.Sprintf("Idempotency-Key must be one text of 1 to %d bytes", longestKey))
	}
	return key, nil
}

// printOf tells what r asks for from what others with the same key ask for. Of its headers those count.
func printOf(r *http.Request, request *sandbox.Request, headers []string) string {
	parts := []string{r.Method, r.RequestURI, string(request.Body), string(request.Raw)}
	return hashOf(append(parts, headers...)...)
}

// hashOf tells these texts from all others.
func hashOf(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))
}
