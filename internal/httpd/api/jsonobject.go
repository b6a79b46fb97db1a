package api

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox/rawjson"
)

// maxMembers is how many members an object may have, those that are dropped and those of a name given twice included:
// each costs far more time than the few bytes that it is sent in.
const maxMembers = function.MaxVariables

// propertySet holds the members of a JSON object as JavaScript sees them: of a name given twice the last value counts,
// at the first one's place, and array indices come before all other names.
type propertySet struct {
	list []property
	// more says that there are members beyond maxMembers. They were not read.
	more bool
}

type property struct {
	name  string
	value json.RawMessage
}

// properties reads the members of a valid JSON text, whose bytes their values share; there are none when it is not an
// object.
func properties(text json.RawMessage) (s propertySet) {
	at, count := map[string]int{}, 0
	for key, value := range rawjson.Members(text) {
		if count++; count > maxMembers {
			s.more = true
			break
		}
		name := rawjson.Unquote(key)
		if i, ok := at[name]; ok {
			s.list[i].value = value
			continue
		}
		at[name] = len(s.list)
		s.list = append(s.list, property{name, value})
	}
	slices.SortStableFunc(s.list, byKeyOrder)
	return s
}

// tooMany is what is wrong with an object of more than maxMembers members.
func tooMany(instance string) string {
	return instance + " has more than " + strconv.Itoa(maxMembers) + " members, which is the most that are taken"
}

func (s propertySet) get(name string) (json.RawMessage, bool) {
	i := slices.IndexFunc(s.list, func(p property) bool { return p.name == name })
	if i < 0 {
		return nil, false
	}
	return s.list[i].value, true
}

// byKeyOrder is JavaScript's order of keys, for a list that is in order of creation.
func byKeyOrder(a, b property) int { return rawjson.CompareKeys(a.name, b.name) }
