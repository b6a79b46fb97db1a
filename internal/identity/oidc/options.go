package oidc

import (
	"crypto/x509"
	"log/slog"
	"time"

	"github.com/backstage/functions/internal/identity"
)

// Bounds that no setting changes.
const (
	// maxToken is the longest token, in bytes. Those of issuers have one or two thousand.
	maxToken = 16 << 10
	// refreshEvery is the time between two fetches of the keys of an issuer.
	refreshEvery = 5 * time.Minute
	// staleAfter is how long keys are used that could not be fetched again. Then nobody knows whether they are valid.
	staleAfter = time.Hour
	// retryFirst and retryMost are the shortest and the longest pause after a fetch that has failed.
	retryFirst, retryMost = time.Second, time.Minute
	// unknownEvery is the shortest time between two fetches for tokens whose key is unknown.
	unknownEvery = 10 * time.Second
	// fetchTimeout bounds one fetch, with its redirects.
	fetchTimeout = 10 * time.Second
	// maxDocument is the most bytes of a document of an issuer.
	maxDocument = 256 << 10
	// maxKeys is how many keys of an issuer are used.
	maxKeys = 50
	// maxRedirects is how many are followed in one request.
	maxRedirects = 3
	// maxKept is how many verified tokens are kept, at most.
	maxKept = 10_000
	// skew is how far the clock of an issuer may be ahead.
	skew = time.Minute
)

// Options configure a Verifier.
type Options struct {
	Issuers []identity.Issuer
	// Authorities are the certificates of each issuer that has a CA, by its URL.
	Authorities map[string]*x509.CertPool
	// Logger is told of what goes wrong, never of tokens. Nil discards it.
	Logger *slog.Logger
	// Now is the clock. Nil stands for time.Now.
	Now func() time.Time
}

// Result is what came of a token.
type Result string

// The results of tokens.
const (
	Verified Result = "verified" // its signature was checked
	Kept     Result = "kept"     // it was verified before
	Refused  Result = "refused"
	Unknown  Result = "unknown" // the keys of its issuer are not known
)

// Results are all of them.
var Results = []Result{Verified, Kept, Refused, Unknown}

// Stats is the state of one issuer.
type Stats struct {
	Issuer string
	// Tokens counts those that were shown, by what came of them.
	Tokens map[Result]uint64
	// Fetches and FailedFetches count the fetches of its keys.
	Fetches, FailedFetches uint64
	// Keys is how many keys are known, Age the time since they were fetched; 0 when they never were.
	Keys int
	Age  time.Duration
}
