package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// MaxRoutes is how many routes a store takes unless its Limits say otherwise.
const MaxRoutes = 10_000

// MaxPattern is the longest pattern of a route, in bytes: its host and its path together.
const MaxPattern = 1 << 10

var (
	// ErrRouteNotFound marks a route that is not there.
	ErrRouteNotFound = errors.New("route not found")
	// ErrTooManyRoutes marks a store that has as many routes as it takes.
	ErrTooManyRoutes = errors.New("there are as many routes as a server takes: delete some first")
)

// Route gives the requests for a host and a path to a function. Its function need not be there yet.
type Route struct {
	// Name is that of the record.
	Name string
	// Host is in lower case and has no port: a name, "*." and a name for all hosts below it, or empty for any host.
	Host string
	// Path begins with a slash. A segment such as "{id}" stands for any segment, a last segment "*" for any number of
	// them.
	Path string
	// Function is the one that is run.
	Function Ref
}

// RoutePatternError says that another route matches the very same requests.
type RoutePatternError struct {
	// Name is that of the other route.
	Name string
}

func (e *RoutePatternError) Error() string {
	return fmt.Sprintf("the route %q matches the same requests: delete it first, or choose another host or path", e.Name)
}

// Pattern is the same text for routes that match the same requests: what segments are called does not count.
func (r Route) Pattern() string {
	segments := strings.Split(r.Path, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") {
			segments[i] = "{}"
		}
	}
	return r.Host + strings.Join(segments, "/")
}

// Check returns ErrIncomplete when r cannot be stored.
func (r Route) Check() error {
	if r.Name == "" || r.Path == "" || r.Function.Namespace == "" || r.Function.ID == "" {
		return ErrIncomplete
	}
	return nil
}

// routeRecord is a stored Route. Its pattern is for programs that read the record, such as scripts in Redis.
type routeRecord struct {
	Host      string `json:"host,omitempty"`
	Path      string `json:"path"`
	Namespace string `json:"namespace"`
	ID        string `json:"id"`
	Pattern   string `json:"pattern"`
}

// Record is r without its name as a JSON text, as stores keep it.
func (r Route) Record() []byte {
	text, err := json.Marshal(routeRecord{r.Host, r.Path, r.Function.Namespace, r.Function.ID, r.Pattern()})
	if err != nil { // texts always marshal
		panic(err)
	}
	return text
}

// ParseRoute is the inverse of Record.
func ParseRoute(name string, record []byte) (Route, error) {
	var stored routeRecord
	if err := json.Unmarshal(record, &stored); err != nil {
		return Route{}, fmt.Errorf("record of route %s: %w", name, err)
	}
	return Route{
		Name: name, Host: stored.Host, Path: stored.Path, Function: Ref{Namespace: stored.Namespace, ID: stored.ID},
	}, nil
}
