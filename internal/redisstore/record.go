package redisstore

import (
	"encoding/json"

	"github.com/backstage/functions/internal/function"
)

// The fields of the hashes, in the order in which they are asked for. Anyone may have written anything there: what
// cannot be used counts as absent.
var (
	functionFields  = []string{"code", "hash", "env", "versionID", "created", "updated"}
	namespaceFields = []string{"namespace", "sentryDSN"}
)

// field is the text of the i-th field of an answer, empty when it is absent.
func field(values []any, i int) string {
	if i >= len(values) {
		return ""
	}
	text, _ := values[i].(string)
	return text
}

// decodeFunction returns nil when values hold no function.
func decodeFunction(ref function.Ref, values []any) *function.Function {
	code := field(values, 0)
	if code == "" {
		return nil
	}
	f := &function.Function{
		Ref:       ref,
		Code:      code,
		Hash:      field(values, 1),
		Env:       decodeEnv(field(values, 2)),
		VersionID: field(values, 3),
		Created:   field(values, 4),
		Updated:   field(values, 5),
	}
	if f.Hash == "" {
		f.Hash = function.HashOf(code)
	}
	return f
}

// decodeEnv returns nil when text is not an object of strings.
func decodeEnv(text string) *function.Env {
	env := &function.Env{}
	if err := json.Unmarshal([]byte(text), env); err != nil {
		return nil
	}
	return env
}

// decodeNamespace returns nil when values hold no record.
func decodeNamespace(name string, values []any) *function.Namespace {
	if field(values, 0) == "" {
		return nil
	}
	n := &function.Namespace{Name: name}
	if dsn, ok := values[1].(string); ok {
		n.SentryDSN = &dsn
	}
	return n
}
