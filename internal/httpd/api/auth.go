package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/answer"
	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/outcome"
)

// Auth says whether callers have to show a key. The zero value is AuthOff.
type Auth int

// The values of Auth.
const (
	AuthOff Auth = iota // nobody needs a key, and there are none
	AuthLog             // what AuthOn refuses is served and logged; keys themselves are as with AuthOn
	AuthOn
)

// Keyring finds the keys of callers. It must be safe for concurrent use.
type Keyring interface {
	// Find is identity.Keyring.Find.
	Find(token string, at time.Time) (*identity.Key, error)
	// Loaded says whether the stored keys are known.
	Loaded() bool
	// Watch is identity.Keyring.Watch.
	Watch(key *identity.Key, at time.Time, ended func()) (stop func())
}

var (
	errNoKey        = errors.New("no key was shown")
	errKeysTwice    = errors.New("the header Authorization is there more than once")
	errNotBearer    = errors.New("send it in the header Authorization: Bearer fn_…, with that word and a space before it")
	errKeysNotKnown = errors.New("the keys are not known yet")
)

// authenticate reads the key of each request. Nobody after it is to see that, so the header is dropped: no function has
// it, and no log, be the request for a resource or not.
func (s *server) authenticate(next http.Handler) http.Handler {
	if s.Auth == AuthOff {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &access{key: noKey}
		if s.readKey(r, a); errors.Is(a.err, errNoKey) && s.Tokens != nil {
			a.bearer, a.err = s.bearerOf(r)
		}
		if rec, ok := w.(*answer.Recorder); ok {
			rec.KeyID, rec.Actor, rec.Claimed = a.key.ID, a.name(), a.claimed
		}
		contextOf(r.Context()).access = a
		next.ServeHTTP(w, r)
	})
}

// readKey sets all but the refusal of a.
func (s *server) readKey(r *http.Request, a *access) {
	credentials := r.Header["Authorization"]
	if !slices.ContainsFunc(credentials, hasToken) {
		a.err = errNoKey
		return
	}
	delete(r.Header, "Authorization")
	if len(credentials) > 1 {
		a.err = errKeysTwice
		return
	}
	token := tokenIn(credentials[0])
	if token == "" {
		a.err = errNotBearer
		return
	}
	key, err := s.Keyring.Find(token, time.Now())
	if err == nil {
		a.key = key
		return
	}
	a.claimed, a.err = identity.IDOf(token), err
	if errors.Is(a.err, identity.ErrUnknown) && !s.Keyring.Loaded() {
		a.err = errKeysNotKnown
	}
}

// hasToken says whether a header Authorization has what is a token of this server or was meant to be one, whatever it
// is written with.
func hasToken(text string) bool {
	if identity.IsToken(tokenIn(text)) { // as nearly all are
		return true
	}
	for part := range strings.FieldsFuncSeq(text, isBetween) {
		if identity.IsToken(part) {
			return true
		}
	}
	return false
}

// isBetween says whether c may stand beside a token where somebody has got the header wrong.
func isBetween(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune(`"',:;=`, c) }

// tokenIn is the token in a header Authorization that is as it should be (RFC 6750, section 2.1); else empty.
func tokenIn(text string) string {
	scheme, token, _ := strings.Cut(text, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.Trim(token, " ")
}

// authorize returns why r, which needs n, is not served. Who is refused learns nothing of what is stored: the store is
// not asked, but for the function of a preflight.
func (s *server) authorize(w http.ResponseWriter, r *http.Request, n need) error {
	a := contextOf(r.Context()).access
	if a == nil { // with AuthOff
		return nil
	}
	refusal := n.refuse(s, r, a)
	switch {
	case refusal == nil:
		return nil
	case s.Auth == AuthLog && !n.strict:
		s.logFailure(r, slog.LevelWarn, "AUTH=on would refuse a request", refusal)
		s.recordTolerated(w, r, refusal)
		return nil
	case n.preflights && isPreflight(r): // browsers show no key with one
		a.refusal, a.asked = refusal, time.Now()
		return nil
	}
	return s.tellRefusal(w, s.countGuess(w, r, refusal))
}

// Why what goes on for long ends before its caller leaves.
var (
	errKeyEnded = errors.New("the key is not valid any more")
	errDisabled = errors.New("the namespace is disabled")
)

// watchKey calls ended once when the key or the token of a caller is not valid any more. Without one, it never does.
func (s *server) watchKey(a *access, ended func()) (stop func()) {
	switch {
	case a.key.ID != "":
		return s.Keyring.Watch(a.key, time.Now(), ended)
	case a.bearer != nil:
		return s.Tokens.Watch(a.bearer, time.Now(), ended)
	}
	return func() {}
}

// whileAllowed is the context of r until its key is revoked or expires, or one of these namespaces is disabled.
func (s *server) whileAllowed(r *http.Request, namespaces ...string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(r.Context())
	stop := s.watchAllowed(r, namespaces, cancel)
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// watchAllowed calls end once the key of r is not valid any more, or one of these namespaces is disabled.
func (s *server) watchAllowed(r *http.Request, namespaces []string, end func(cause error)) (stop func()) {
	stopNamespaces := s.Disabled.Watch(namespaces, func() { end(errDisabled) })
	stopKey := s.watchKey(accessOf(r), func() { end(errKeyEnded) })
	return func() {
		stopKey()
		stopNamespaces()
	}
}

// refusePreflight returns why r, a preflight, is not answered, at a time that tells nothing of what is stored.
func (s *server) refusePreflight(w http.ResponseWriter, r *http.Request) error {
	a := accessOf(r)
	evenOut(r.Context(), a.asked)
	return s.tellRefusal(w, a.refusal)
}

// tellRefusal returns refusal with its header.
func (s *server) tellRefusal(w http.ResponseWriter, refusal error) error {
	if outcome.Of(refusal).Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="functions"`)
	}
	return refusal
}

// access is what the caller of a request may do.
type access struct {
	key    *identity.Key    // noKey for none
	bearer *identity.Bearer // who has shown a token of an issuer instead of a key; else nil
	// err says why there is neither; nil if there is one.
	err error
	// claimed is the ID in a key that is not valid.
	claimed string
	// refusal says why nothing but a preflight is served; nil if all is.
	refusal error
	// asked is when that was decided.
	asked time.Time
}

// holder is what one may do who has a key or a token.
type holder interface {
	// Has says whether they have that role, be it in one namespace.
	Has(role identity.Role) bool
	// May, MayIn, Gives and Outlives are those of identity.Key.
	May(role identity.Role, namespace string) bool
	MayIn(role identity.Role, all identity.Pattern) bool
	Gives(k identity.Key) bool
	Outlives(k *identity.Key) bool
}

// opens says whether the caller may run functions of the namespace with that access, without a role there.
func (a *access) opens(as, namespace string) bool {
	return as == function.AccessPublic || as == function.AccessJWT && a.bearer != nil && a.bearer.MayRun(namespace)
}

// openedBy is the access of functions of the namespace that lets the caller run them; empty if a role there does.
func (a *access) openedBy(namespace string) string {
	switch {
	case a.holder().May(identity.Invoke, namespace):
		return ""
	case a.opens(function.AccessJWT, namespace):
		return function.AccessJWT
	}
	return function.AccessPublic
}

// isHeld says whether the caller has shown a key or a token that is valid.
func (a *access) isHeld() bool { return a.key.ID != "" || a.bearer != nil }

// name is what records call the caller: by the ID of the key, or by issuer and subject of the token; empty for nobody.
// An issuer's address is no ID of a key.
func (a *access) name() string {
	if a.bearer != nil {
		return a.bearer.Issuer + "#" + a.bearer.Subject
	}
	return a.key.ID
}

// holder is who shows the key or the token of a; without one, nobody, who may do nothing.
func (a *access) holder() holder {
	if a.bearer != nil {
		return a.bearer
	}
	return a.key
}

// holderOf is who has sent r.
func holderOf(r *http.Request) holder {
	a := accessOf(r)
	return a.holder()
}

// noKey stands for the key of a caller who has shown none that is valid. It allows nothing.
var noKey = new(identity.Key)

// nobody is the access of callers with AuthOff, where there is none.
var nobody = &access{key: noKey}

// accessOf is the access of the caller of r, which is not to be changed.
func accessOf(r *http.Request) *access {
	if c := contextOf(r.Context()); c != nil && c.access != nil {
		return c.access
	}
	return nobody
}

func unauthorized(cause error) error {
	message := "A key is needed: send the header Authorization: Bearer fn_…"
	if errors.Is(cause, identity.ErrForeign) {
		cause = identity.ErrUnknown
	}
	switch {
	case errors.Is(cause, errNotBearer):
		message = "The key cannot be read: " + cause.Error()
	case !errors.Is(cause, errNoKey):
		message = "The key is not valid: " + cause.Error()
	}
	return outcome.New(outcome.Outcome{
		Status: http.StatusUnauthorized, Message: message, Reason: "unauthorized", Fault: outcome.FaultCaller,
	})
}

// forbidden says that a role is needed; place is the end of the sentence.
func forbidden(role identity.Role, place string) error {
	return outcome.New(outcome.Outcome{
		Status:  http.StatusForbidden,
		Message: "The key may not do this: it needs the role " + string(role) + place,
		Reason:  "forbidden", Fault: outcome.FaultCaller,
	})
}
