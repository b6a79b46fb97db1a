package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/routes"
	"github.com/backstage/functions/sandbox/rawjson"
)

// membersOfRoute are those that a PUT may have. Its name is that of the path.
var membersOfRoute = []string{"name", "host", "path", "function"}

// parseRoute reads a route without its name, and says all that is wrong with it.
func (s *server) parseRoute(body json.RawMessage) (r function.Route, faults []string) {
	if !rawjson.IsObject(body) {
		return r, []string{"instance" + notObject}
	}
	given := properties(body)
	if given.more {
		return r, []string{tooMany("instance")}
	}
	texts := map[string]string{}
	for _, p := range given.list {
		switch {
		case !slices.Contains(membersOfRoute, p.name):
			faults = append(faults, notAllowed(p.name))
		case !rawjson.IsString(p.value):
			faults = append(faults, "instance."+p.name+notString)
		default:
			texts[p.name] = rawjson.Unquote(p.value)
		}
	}
	for _, name := range []string{"path", "function"} {
		if _, ok := given.get(name); !ok {
			faults = append(faults, `instance requires property "`+name+`"`)
		}
	}
	if len(faults) > 0 {
		return r, faults
	}
	r.Host, r.Path = texts["host"], texts["path"]
	if err := routes.Check(r.Host, r.Path); err != nil {
		faults = append(faults, "instance."+err.Error())
	} else if fault := s.takenPath(r.Path); fault != "" {
		faults = append(faults, "instance.path"+fault)
	}
	ref, fault := parseRef(texts["function"])
	if r.Function = ref; fault != "" {
		faults = append(faults, "instance.function"+fault)
	}
	return r, faults
}

// takenPath is the end of a sentence about a path that lies at or below one of the resources, which no route may have:
// requests for it would reach the route on some ports and the resource on others. Empty for any other path.
func (s *server) takenPath(path string) string {
	first, _, _ := strings.Cut(path[1:], "/")
	taken := s.firstSegments()
	if first == "" || !slices.ContainsFunc(taken, func(own string) bool { return strings.EqualFold(own, first) }) {
		return ""
	}
	return fmt.Sprintf(" begins with /%s, which the server keeps for itself: choose a first segment other than %s",
		first, strings.Join(taken, ", "))
}

// firstSegments are those of all resources, in the order of the alphabet.
func (s *server) firstSegments() []string {
	var firsts []string
	for _, res := range s.resources() {
		if first, _, _ := strings.Cut(res.path[1:], "/"); first != "" {
			firsts = append(firsts, first)
		}
	}
	slices.Sort(firsts)
	return slices.Compact(firsts)
}

// parseRef reads "namespace/id", each of them percent-encoded as in paths; fault is the end of a sentence about it.
func parseRef(text string) (ref function.Ref, fault string) {
	namespace, id, ok := strings.Cut(text, "/")
	if !ok || strings.Contains(id, "/") {
		return ref, ` is not such as "namespace/id": a slash in one of the names is written %2F`
	}
	for _, part := range []struct {
		to         *string
		text, name string
	}{{&ref.Namespace, namespace, "namespace"}, {&ref.ID, id, "id"}} {
		name, err := decodeName(part.text, part.name)
		if err != nil {
			return ref, ": " + err.Error()
		}
		*part.to = name
	}
	return ref, ""
}

// refEscaper writes a name for parseRef.
var refEscaper = strings.NewReplacer("%", "%25", "/", "%2F")

// routeJSON is the record of r.
func routeJSON(r function.Route) []byte {
	o := rawjson.NewObject(nil)
	o.String("name", r.Name)
	if r.Host != "" {
		o.String("host", r.Host)
	}
	o.String("path", r.Path)
	o.String("function", refEscaper.Replace(r.Function.Namespace)+"/"+refEscaper.Replace(r.Function.ID))
	return o.End()
}
