package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/backstage/functions/internal/identity"
)

// Tokens verifies tokens of issuers; *oidc.Verifier is one. It must be safe for concurrent use.
type Tokens interface {
	// Issued says whether a text is, or was meant to be, a token of one of the issuers.
	Issued(text string) bool
	// Find returns who holds a token, or identity.ErrForeign for what is none of these, identity.ErrUnknown for one that
	// is not valid, or identity.ErrKeysUnknown.
	Find(ctx context.Context, token string, at time.Time) (*identity.Bearer, error)
	// Watch calls ended once, when b is not valid any more. Stop ends that.
	Watch(b *identity.Bearer, at time.Time, ended func()) (stop func())
}

// bearerOf returns who has sent r by a token of an issuer, which nobody after it is to see, be it valid or not. What
// is not for this server stays where it is: functions that anybody may run have callers of their own.
func (s *server) bearerOf(r *http.Request) (*identity.Bearer, error) {
	credentials := r.Header["Authorization"]
	if len(credentials) == 0 {
		return nil, errNoKey
	}
	b, err := s.bearerIn(r.Context(), credentials)
	if errors.Is(err, identity.ErrForeign) && slices.ContainsFunc(credentials, s.hasIssued) {
		err = identity.ErrUnknown
	}
	if !errors.Is(err, identity.ErrForeign) {
		delete(r.Header, "Authorization")
	}
	return b, err
}

func (s *server) bearerIn(ctx context.Context, credentials []string) (*identity.Bearer, error) {
	token := tokenIn(credentials[0])
	switch {
	case len(credentials) > 1 && slices.ContainsFunc(credentials, s.hasIssued):
		return nil, errKeysTwice
	case len(credentials) > 1, token == "":
		return nil, identity.ErrForeign
	}
	return s.Tokens.Find(ctx, token, time.Now())
}

// hasIssued says whether a header Authorization has what is a token of an issuer, whatever it is written with.
func (s *server) hasIssued(text string) bool {
	for part := range strings.FieldsFuncSeq(text, isBetween) {
		if s.Tokens.Issued(part) {
			return true
		}
	}
	return false
}
