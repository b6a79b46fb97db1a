package secrets

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/outcome"
)

// ErrNoKeyset says that this server cannot encrypt and decrypt.
var ErrNoKeyset = outcome.New(outcome.Outcome{
	Status: http.StatusNotImplemented, Reason: "no_keyset",
	Message: "This server has no keys to encrypt secrets with: make them with functions secrets keygen FILE, " +
		"and start it with SECRETS_KEYSET_FILE=FILE",
})

// errDamaged marks a stored secret that cannot be decrypted.
var errDamaged = errors.New("the stored secret cannot be decrypted")

// Reasons why a function does not get a secret.
const (
	ReasonMissing    = "secret_missing"
	ReasonDamaged    = "secret_damaged"
	ReasonReplayed   = "secret_replayed"
	ReasonUnreadable = "secret_unreadable"
	ReasonNoKeyset   = "secret_no_keyset"
)

// Reasons are all of them.
var Reasons = []string{ReasonMissing, ReasonDamaged, ReasonReplayed, ReasonUnreadable, ReasonNoKeyset}

// Error says why a function does not get one of the secrets that it asks for. Its calls fail with it.
type Error struct {
	// Function is the one that asks for the secret of that name.
	Function function.Ref
	Name     string
	// Reason is one of Reasons.
	Reason string
	// Err says more; nil for a secret that is missing.
	Err error
}

func (e *Error) Error() string {
	text := fmt.Sprintf("the secret %s of %s: %s", e.Name, e.Function, e.sentence())
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// sentence says what is wrong, and what to do.
func (e *Error) sentence() string {
	switch e.Reason {
	case ReasonMissing:
		return "it is not there: put it as a secret of the function or of its namespace"
	case ReasonReplayed:
		return "an older version of it is stored than there was: put its value again"
	case ReasonUnreadable:
		return "its file in SECRETS_DIR cannot be read"
	case ReasonNoKeyset:
		return "this server has no keys to decrypt it with: set SECRETS_KEYSET_FILE"
	}
	return "it cannot be decrypted: put its value again, or have its key in SECRETS_KEYSET_FILE"
}

// Outcome makes Error an outcome.Teller.
func (e *Error) Outcome() outcome.Outcome {
	o := outcome.Outcome{
		Status: http.StatusInternalServerError, Reason: e.Reason, Hidden: e.Reason != ReasonMissing,
		Message: fmt.Sprintf("The function asks for the secret %s: %s", e.Name, e.sentence()),
	}
	if e.Reason == ReasonMissing {
		o.Fault = outcome.FaultFunction
	}
	return o
}
