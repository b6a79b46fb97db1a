package api

import (
	"encoding/json"
	"net/http"

	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/sandbox/rawjson"
)

// authJSON is what a function that asks for it learns of who calls, as docs/http-api.md has it; nil of nobody.
func authJSON(r *http.Request) json.RawMessage {
	a := accessOf(r)
	switch {
	case a.bearer != nil:
		o := rawjson.NewObject(make([]byte, 0, len(a.bearer.Claims)+256))
		o.String("type", "jwt")
		o.String("issuer", a.bearer.Issuer)
		o.String("subject", a.bearer.Subject)
		o.Raw("claims", a.bearer.Claims)
		return o.End()
	case a.key.ID != "":
		o := rawjson.NewObject(make([]byte, 0, 256))
		o.String("type", "key")
		o.String("id", a.key.ID)
		o.String("role", string(a.key.Role))
		o.Strings("namespaces", textsOf(a.key.Namespaces))
		return o.End()
	}
	return nil
}

func textsOf(patterns []identity.Pattern) []string {
	texts := make([]string, len(patterns))
	for i, p := range patterns {
		texts[i] = string(p)
	}
	return texts
}
