package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

// The ends of the npm module jsonschema's texts; callers match on them.
const (
	notString = " is not of a type(s) string"
	notObject = " is not of a type(s) object"
)

// notAllowed is the fault of a property that the schema of the instance does not have.
func notAllowed(name string) string {
	quoted := rawjson.AppendString(nil, name)
	return "instance additionalProperty " + string(quoted) + " exists in instance when not allowed"
}

// sendInvalid refuses a body that does not fit its schema.
func sendInvalid(w http.ResponseWriter, r *http.Request, faults []string) {
	o := rawjson.NewObject(nil)
	o.String("error", "Invalid instance")
	o.Strings("details", faults)
	sendJSON(w, r, http.StatusBadRequest, o.End())
}

// parseFunction reads code and environment from the JSON text body, and says all that is wrong with it: first the
// properties in the order of the schema, then what is missing.
func parseFunction(body json.RawMessage, parser *optionParser) (f *function.Function, faults []string) {
	given := properties(body)
	if given.more {
		return nil, []string{tooMany("instance")}
	}
	if !rawjson.IsObject(body) {
		faults = append(faults, "instance"+notObject)
	}
	faults = append(faults, nameFaults(given)...)
	f, more := parseSettings(given, parser)
	faults = append(faults, more...)
	code, ok := given.get("code")
	if !ok {
		faults = append(faults, `instance requires property "code"`)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	f.Code = rawjson.Unquote(code)
	return f, nil
}

// nameFaults is what is wrong with the members that the schema has apart from the environment.
func nameFaults(given propertySet) (faults []string) {
	for _, name := range []string{"namespace", "id", "code", "hash", "versionID"} {
		value, ok := given.get(name)
		if ok && !rawjson.IsString(value) {
			faults = append(faults, "instance."+name+notString)
		}
		if name == "code" && string(value) == `""` {
			faults = append(faults, "instance.code does not meet minimum length of 1")
		}
	}
	return faults
}

// parseSettings reads environment and options.
func parseSettings(given propertySet, parser *optionParser) (f *function.Function, faults []string) {
	env, hasEnv := given.get("env")
	if hasEnv {
		faults = append(faults, envFaults(env)...)
	}
	options, optionFaults := parser.parse(given)
	if faults = append(faults, optionFaults...); len(faults) > 0 {
		return nil, faults
	}
	f = &function.Function{Options: options}
	if hasEnv {
		f.Env = envIn(env)
	}
	return f, nil
}

// maxDSN bounds the address of a Sentry project, in bytes: every function of the namespace carries it.
const maxDSN = 4096

func envFaults(env json.RawMessage) (faults []string) {
	if !rawjson.IsObject(env) {
		return []string{"instance.env" + notObject}
	}
	variables := properties(env)
	if variables.more {
		return []string{tooMany("instance.env")}
	}
	for _, p := range variables.list {
		if !rawjson.IsString(p.value) {
			faults = append(faults, "instance.env"+suffix(p.name)+notString)
		}
	}
	return faults
}

func envIn(env json.RawMessage) *function.Env {
	e := &function.Env{}
	for _, p := range properties(env).list {
		e.Set(p.name, rawjson.Unquote(p.value))
	}
	return e
}

// givenNamespace is the body of a PUT of a namespace.
type givenNamespace struct {
	dsn            *string
	maxConcurrency *int
	// nameFirst says that the body holds the namespace's name, and before anything else.
	nameFirst bool
}

// parseNamespace is to namespaces what parseFunction is to functions.
func parseNamespace(body json.RawMessage) (n givenNamespace, faults []string) {
	if !rawjson.IsObject(body) {
		return n, []string{"instance" + notObject}
	}
	given := properties(body)
	if given.more {
		return n, []string{tooMany("instance")}
	}
	for _, name := range []string{"namespace", "sentryDSN"} {
		if value, ok := given.get(name); ok && !rawjson.IsString(value) {
			faults = append(faults, "instance."+name+notString)
		}
	}
	if value, _ := given.get("sentryDSN"); rawjson.IsString(value) && len(rawjson.Unquote(value)) > maxDSN {
		faults = append(
			faults,
			fmt.Sprintf(
				"instance.sentryDSN has %d bytes, %d are the most that are taken",
				len(rawjson.Unquote(value)),
				maxDSN,
			),
		)
	}
	n.maxConcurrency, faults = parseCount(given, "maxConcurrency", faults)
	for _, p := range given.list {
		if p.name != "namespace" && p.name != "sentryDSN" && p.name != "maxConcurrency" {
			faults = append(faults, notAllowed(p.name))
		}
	}
	if len(faults) > 0 {
		return n, faults
	}
	if value, ok := given.get("sentryDSN"); ok {
		dsn := rawjson.Unquote(value)
		n.dsn = &dsn
	}
	n.nameFirst = len(given.list) > 0 && given.list[0].name == "namespace"
	return n, nil
}

// plainName matches names that jsonschema writes after a dot; digits are the names it writes in bare brackets. \s of
// JavaScript is wider than Go's.
var (
	plainName = regexp.MustCompile(`^[^0-9.\[\]\s\v\p{Z}\x{feff}][^.\[\]\s\v\p{Z}\x{feff}]*$|^$`)
	digits    = regexp.MustCompile(`^[0-9]+$`)
)

// suffix is how jsonschema writes a property of an instance.
func suffix(name string) string {
	switch {
	case plainName.MatchString(name):
		return "." + name
	case digits.MatchString(name):
		return "[" + name + "]"
	}
	return "[" + string(rawjson.AppendString(nil, name)) + "]"
}
