// Package members reads options that are objects. Errors are ends of sentences that begin with the name of the option.
package members

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/backstage/functions/internal/spelling"
)

// Of returns the members of an object. The error for any other text goes on with otherwise, which says what else the
// option may be.
func Of(text []byte, otherwise string) (members map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, errors.New(" is not of a type(s) object" + otherwise)
	}
	return members, nil
}

// Set has set read the members in the order of their names, until it returns an error.
func Set(members map[string]json.RawMessage, set func(name string, value json.RawMessage) error) error {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if err := set(name, members[name]); err != nil {
			return err
		}
	}
	return nil
}

// Unknown is the error for a member that the option does not have, but those that are known.
func Unknown(name string, known ...string) error {
	end := spelling.DidYouMean(name, known)
	if end == "" {
		end = ": there are " + strings.Join(known, ", ")
	}
	return fmt.Errorf(".%s is not known%s", name, end)
}
