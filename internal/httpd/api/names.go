package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/backstage/functions/internal/outcome"
)

// maxName is the longest name of a namespace, a function or a variable, in bytes.
const maxName = 1024

// nameOf is the name that the path's variable holds: any text that is not empty, not longer than maxName and free of
// control characters.
func nameOf(r *http.Request, variable string) (string, error) {
	return decodeName(varOf(r, variable), variable)
}

// decodeName is the name that encoded stands for, of what is called variable.
func decodeName(encoded, variable string) (string, error) {
	name, err := url.PathUnescape(encoded)
	if err != nil || !utf8.ValidString(name) {
		return "", outcome.BadRequest("Failed to decode param '" + encoded + "'")
	}
	switch {
	case name == "":
		return "", outcome.BadRequest("The " + variable + " name must not be empty")
	case len(name) > maxName:
		return "", outcome.BadRequest(
			"The " + variable + " name must not be longer than " + strconv.Itoa(maxName) + " bytes",
		)
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", outcome.BadRequest("The " + variable + " name must not contain control characters")
	}
	return name, nil
}
