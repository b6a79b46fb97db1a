package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/limits"
)

// limitedKey is the key of r, or who has shown its token, whose limits count for its calls.
func limitedKey(r *http.Request) limits.Key {
	a := accessOf(r)
	return limits.Key{ID: a.name(), Limits: a.key.Limits}
}

// standingIn puts how limits stand into the headers of an answer, as draft-ietf-httpapi-ratelimit-headers-11 has them.
func standingIn(w http.ResponseWriter) func([]limits.Standing) {
	return func(all []limits.Standing) {
		var policy, state []byte
		for i, s := range all {
			if i > 0 {
				policy, state = append(policy, ", "...), append(state, ", "...)
			}
			policy = appendParameter(strconv.AppendQuote(policy, s.Name), 'q', s.Quota)
			policy = appendParameter(policy, 'w', int64(s.Window/time.Second))
			state = appendParameter(strconv.AppendQuote(state, s.Name), 'r', s.Remaining)
			state = appendParameter(state, 't', int64((s.Reset+time.Second-1)/time.Second))
		}
		if len(all) > 0 {
			w.Header().Set("RateLimit-Policy", string(policy))
			w.Header().Set("RateLimit", string(state))
		}
	}
}

func appendParameter(dst []byte, name byte, value int64) []byte {
	return strconv.AppendInt(append(dst, ';', name, '='), value, 10)
}
