package redis

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/backstage/functions/internal/function"
)

// The fields of the hashes, in the order in which they are asked for. Anyone may have written anything there: what
// cannot be used counts as absent.
var (
	functionFields = slices.Concat(
		[]string{"code", "hash", "env", "versionID", "created", "updated"}, function.OptionNames(), builtFields,
	)
	markedFields = append(slices.Clone(functionFields), ownerField)
	// builtFields describe the artefact and hold its text, unless that is the code: see function.Function.Texts.
	// sourceFields hold what it was built from.
	builtFields     = []string{"build", "artefact"}
	sourceFields    = []string{"source", "map"}
	namespaceFields = []string{"namespace", "sentryDSN", "maxConcurrency"}
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
		Code:      givenCode(code, field(values, 1)),
		Hash:      field(values, 1),
		Env:       decodeEnv(field(values, 2)),
		VersionID: field(values, 3),
		Created:   field(values, 4),
		Updated:   field(values, 5),
		Options:   decodeOptions(values[6:]),
	}
	if f.Hash == "" {
		f.Hash = function.HashOf(code)
	}
	built := len(functionFields) - len(builtFields)
	f.ReadBuild([]byte(field(values, built)), field(values, built+1))
	return f
}

// decodeOptions reads the fields that the original does not know, which are in the order of their table.
func decodeOptions(values []any) (o function.Options) {
	for i := range min(len(values), len(function.AllOptions)) {
		if value, ok := values[i].(string); ok {
			function.AllOptions[i].Set(&o, value) // one that is impossible counts as absent
		}
	}
	return o
}

// decodeCount returns nil when the i-th field is not a number from 0 on.
func decodeCount(values []any, i int) *int {
	n, err := strconv.Atoi(field(values, i))
	if err != nil || n < 0 {
		return nil
	}
	return &n
}

// encodeOptions returns the fields and values of the options that are set.
func encodeOptions(o function.Options) (pairs []any) {
	for option, value := range o.Given() {
		pairs = append(pairs, option.Name, value)
	}
	return pairs
}

// decodeEnv returns nil when text is not an object.
func decodeEnv(text string) *function.Env {
	env, err := readEnv(text)
	if err != nil {
		return nil
	}
	return env
}

// readEnv is decodeEnv with what is wrong. Of a text that says that there are no variables nothing is.
func readEnv(text string) (*function.Env, error) {
	if text == "" || text == "null" {
		return nil, nil //nolint:nilnil // a nil Env is a set
	}
	env := &function.Env{}
	if err := json.Unmarshal([]byte(text), env); err != nil {
		return nil, err
	}
	return env, nil
}

// decodeNamespace returns nil when values hold no record.
func decodeNamespace(name string, values []any) *function.Namespace {
	if field(values, 0) == "" {
		return nil
	}
	n := &function.Namespace{Name: name, MaxConcurrency: decodeCount(values, 2)}
	if dsn, ok := values[1].(string); ok {
		n.SentryDSN = &dsn
	}
	return n
}
