package answer

import (
	"net/http"

	"golang.org/x/net/http/httpguts"
)

// AddVary adds a name to the list of request headers that the answer with the headers h depends on, unless it is there.
func AddVary(h http.Header, name string) {
	list := h["Vary"]
	if !httpguts.HeaderValuesContainsToken(list, "*") && !httpguts.HeaderValuesContainsToken(list, name) {
		h.Add("Vary", name)
	}
}
