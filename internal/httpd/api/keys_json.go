package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/backstage/functions/internal/identity"
	"github.com/backstage/functions/internal/usage"
	"github.com/backstage/functions/sandbox/rawjson"
)

const (
	// maxKeyName is the longest name of a key, in bytes.
	maxKeyName = 128
	// keyBytes is about how long a key is in a list.
	keyBytes = 256
)

// membersOfKey are those that a POST may have.
var membersOfKey = []string{"name", "role", "namespaces", "expires", usage.MemberRate, usage.MemberQuotas}

// parseKey reads what a new key is for, and says all that is wrong with it.
func parseKey(body json.RawMessage, now time.Time) (k identity.Key, faults []string) {
	k.Created = now.UTC().Truncate(time.Millisecond)
	if !rawjson.IsObject(body) {
		return k, []string{"instance" + notObject}
	}
	given := properties(body)
	if given.more {
		return k, []string{tooMany("instance")}
	}
	fail := func(format string, args ...any) { faults = append(faults, "instance"+fmt.Sprintf(format, args...)) }
	for _, p := range given.list {
		if !slices.Contains(membersOfKey, p.name) {
			faults = append(faults, notAllowed(p.name))
		}
	}
	texts := map[string]string{}
	for _, name := range []string{"name", "role", "expires"} {
		if value, ok := given.get(name); ok && !rawjson.IsString(value) {
			fail(".%s%s", name, notString)
		} else if ok {
			texts[name] = rawjson.Unquote(value)
		}
	}
	k.Name, k.Role = texts["name"], identity.Role(texts["role"])
	if len(k.Name) > maxKeyName || strings.ContainsFunc(k.Name, unicode.IsControl) {
		fail(".name has control characters, or more than %d bytes", maxKeyName)
	}
	if !k.Role.Valid() {
		fail(".role is not one of enum values: invoke,deploy,admin")
	}
	if text, ok := texts["expires"]; ok {
		at, err := time.Parse(time.RFC3339, text)
		if k.Expires = at.UTC(); err != nil || !at.After(now) || at.Year() > 9999 {
			fail(`.expires is not a time to come such as "2030-12-31T23:59:59Z"`)
		}
	}
	for _, name := range []string{usage.MemberRate, usage.MemberQuotas} {
		if value, ok := given.get(name); ok {
			if err := k.Limits.ParseMember(name, value); err != nil {
				fail(".%s%s", name, err)
			}
		}
	}
	patterns, ok := given.get("namespaces")
	if k.Namespaces = patternsIn(patterns); !ok {
		fail(` requires property "namespaces"`)
	} else if k.Namespaces == nil {
		fail(`.namespaces is not a list of 1 to %d names, such as ["shop", "team-*"]`, identity.MaxPatterns)
	}
	for i, pattern := range k.Namespaces {
		if fault := pattern.Fault(); fault != "" {
			fail(".namespaces[%d]%s", i, fault)
		}
	}
	return k, faults
}

// patternsIn reads a list of patterns; nil if it is none.
func patternsIn(value json.RawMessage) []identity.Pattern {
	var texts []string
	if json.Unmarshal(value, &texts) != nil || len(texts) == 0 || len(texts) > identity.MaxPatterns {
		return nil
	}
	patterns := make([]identity.Pattern, len(texts))
	for i, text := range texts {
		patterns[i] = identity.Pattern(text)
	}
	return patterns
}

// keyJSON is what is shown of k; token is empty but for a new one.
func keyJSON(k identity.Key, token string) []byte {
	o := rawjson.NewObject(nil)
	o.String("id", k.ID)
	if token != "" {
		o.String("key", token)
	}
	if k.Name != "" {
		o.String("name", k.Name)
	}
	o.String("role", string(k.Role))
	o.Strings("namespaces", textsOf(k.Namespaces))
	o.String("created", k.Created.Format(time.RFC3339Nano))
	if !k.Expires.IsZero() {
		o.String("expires", k.Expires.Format(time.RFC3339Nano))
	}
	k.Limits.Put(&o)
	return o.End()
}
