package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/backstage/functions/internal/egress"
	"github.com/backstage/functions/internal/spelling"
)

// maxRules is the most rules of one list.
const maxRules = 10_000

// ruleForms says what rules look like.
const ruleForms = "hosts, addresses and ranges, with or without a port and without a scheme, such as " +
	"api.example.com, *.example.com:443 or 10.0.0.0/8"

// rules reads what egress.ParseRules reads.
func rules(target func(*Config) *[]egress.Rule) parser {
	return past(func(c *Config, text string) error {
		list, err := readRules(text)
		if err != nil {
			return fmt.Errorf("must be %s, separated by commas: %w", ruleForms, err)
		}
		*target(c) = list
		return nil
	}, []string{"a.example", "*", "*.a.example:65535", "10.0.0.0/8", "[::1]:1", "a, b", manyRules(maxRules)},
		[]string{
			"a:0", "a:65536", "a:", "10.0.0.0/33", "*.10.0.0.1", "http://a", "a b", "a;b", ",", " ", "a,", "a,,b",
			manyRules(maxRules + 1),
		})
}

func manyRules(n int) string { return strings.TrimSuffix(strings.Repeat("a,", n), ",") }

func readRules(text string) ([]egress.Rule, error) {
	list, err := egress.ParseRules(text)
	if err == nil && len(list) > maxRules {
		err = fmt.Errorf("there are more than %d", maxRules)
	}
	return list, err
}

// modes are the values of EGRESS.
var modes = []egress.Mode{egress.Public, egress.Off, egress.All}

// policyNames are the names in a namespace's policy.
var policyNames = []string{"egress", "allow", "deny"}

// namespacePolicies reads EGRESS_NAMESPACES. It depends on the variables before it.
func namespacePolicies() parser {
	p := object(" of objects with the texts egress, allow and deny", `{"egress":"off"}`, readPolicy,
		func(c *Config) *map[string]egress.Policy { return &c.Egress.Namespaces })
	read := p.read
	p.read = func(c *Config, text string) error {
		if err := read(c, text); err != nil {
			return err
		}
		for name, policy := range c.Egress.Namespaces {
			if policy.Mode == "" {
				policy.Mode = c.Egress.Policy.Mode
			}
			policy.Deny = append(policy.Deny, c.Egress.Policy.Deny...)
			c.Egress.Namespaces[name] = policy
		}
		return nil
	}
	p.within = append(p.within, `{"a":{}}`, `{"a":{"egress":"ALL","allow":"","deny":"b:1, c"}}`)
	p.beyond = append(p.beyond, `{"a":{"egres":"off"}}`, `{"a":{"Egress":"off"}}`, `{"a":{"egress":"of"}}`,
		`{"a":{"egress":""}}`,
		`{"a":{"egress":null}}`, `{"a":null}`, `{"a":[]}`, `{"a":"off"}`, `{"a":{"egress":"off","egress":"all"}}`,
		`{"a":{"deny":["b"]}}`,
		`{"a":{"allow":"b:0"}}`, `{"a":{"allow":"b,,c"}}`, `{"a":{"deny":","}}`, `{" a":{}}`, "{\"a\\u0000\":{}}")
	return p
}

// readPolicy reads the policy of one namespace. Its Mode is empty if it names none.
func readPolicy(namespace string, value json.RawMessage) (egress.Policy, error) {
	var policy egress.Policy
	if namespace == "" || strings.TrimSpace(namespace) != namespace || strings.ContainsFunc(namespace, unicode.IsControl) {
		return policy, errNoNamespace
	}
	members, err := readObject(string(value))
	if err != nil {
		return policy, fmt.Errorf("is not an object: %w", err)
	}
	for _, m := range members {
		if err := readPolicyMember(&policy, m); err != nil {
			return policy, fmt.Errorf("has an error: %w", err)
		}
	}
	return policy, nil
}

var errNoNamespace = fmt.Errorf("is not the name of a namespace")

func readPolicyMember(policy *egress.Policy, m member) error {
	text, err := readString(m.value)
	switch m.name {
	case "egress":
		i := indexFold(modes, text)
		if err != nil || i < 0 {
			return fmt.Errorf("egress must be %s", alternatives(modes))
		}
		policy.Mode = modes[i]
		return nil
	case "allow":
		if err == nil {
			policy.Allow, err = readRules(text)
		}
	case "deny":
		if err == nil {
			policy.Deny, err = readRules(text)
		}
	default:
		return fmt.Errorf("%q is not known; there are %s%s", m.name, alternatives(policyNames),
			spelling.DidYouMean(strings.ToLower(m.name), policyNames))
	}
	if err != nil {
		return fmt.Errorf("%s must be %s, in one string: %w", m.name, ruleForms, err)
	}
	return nil
}
