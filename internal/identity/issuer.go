package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Bounds of issuers.
const (
	maxIssuers   = 20
	maxAudiences = 50
	maxRules     = 1000
	maxSetting   = 1 << 10 // bytes of one text
)

// Issuer is one whose tokens callers may show, as the operator describes it.
type Issuer struct {
	// URL is what its tokens have as iss. Its keys are found by the document below it.
	URL string `json:"issuer"`
	// Audiences are those that a token may be for; it must be for one of them.
	Audiences []string `json:"audiences"`
	// CA is a file with the certificates, in PEM, of the authorities that its own is checked with; empty stands for those
	// of the system.
	CA string `json:"ca"`
	// Namespaces are those whose functions any holder of its tokens may run that are for such holders. Nil stands for all.
	Namespaces []Pattern `json:"namespaces"`
	// Roles say who of the holders may do more.
	Roles []Rule `json:"roles"`
}

// Rule gives a role to the holders of tokens that have a claim.
type Rule struct {
	// Claim is the name of the claim. One that begins with a slash is a path (RFC 6901), such as /realm_access/roles.
	// Empty gives the role to each holder.
	Claim string `json:"claim"`
	// Value is what the claim must be, or what must be in it when it is a list.
	Value string `json:"value"`
	Grant
}

// ParseIssuers reads a JSON array of issuers, whose errors name the place.
func ParseIssuers(text string) ([]Issuer, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	var all []Issuer
	if err := decoder.Decode(&all); err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	if decoder.More() {
		return nil, errors.New("there is text after it")
	}
	if len(all) == 0 || len(all) > maxIssuers {
		return nil, fmt.Errorf("it has %d issuers, and may have 1 to %d", len(all), maxIssuers)
	}
	seen := map[string]bool{}
	for i := range all {
		if err := all[i].check(); err != nil {
			return nil, fmt.Errorf("issuer %d: %w", i+1, err)
		}
		if seen[all[i].URL] {
			return nil, fmt.Errorf("issuer %d: %s is there already", i+1, all[i].URL)
		}
		seen[all[i].URL] = true
	}
	return all, nil
}

func (i *Issuer) check() error {
	if err := CheckURL(i.URL); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if strings.ContainsAny(i.URL, "?#") {
		return fmt.Errorf("issuer: %q has a query or a fragment", i.URL)
	}
	if len(i.Audiences) == 0 || len(i.Audiences) > maxAudiences {
		return fmt.Errorf("audiences: name 1 to %d that its tokens may be for", maxAudiences)
	}
	if slices.ContainsFunc(i.Audiences, func(a string) bool { return !isSetting(a) }) {
		return fmt.Errorf("audiences: one is empty or has more than %d bytes", maxSetting)
	}
	if i.Namespaces == nil {
		i.Namespaces = []Pattern{Everywhere}
	}
	if err := checkPatterns(i.Namespaces, 0); err != nil {
		return err
	}
	if len(i.Roles) > maxRules {
		return fmt.Errorf("roles: there are more than %d", maxRules)
	}
	for n, rule := range i.Roles {
		if err := rule.check(); err != nil {
			return fmt.Errorf("role %d: %w", n+1, err)
		}
	}
	return nil
}

func (r Rule) check() error {
	switch {
	case !r.Role.Valid():
		return fmt.Errorf("role: %q is none of invoke, deploy and admin", r.Role)
	case (r.Claim == "") != (r.Value == ""):
		return errors.New("claim, value: set both, or neither for all holders of tokens")
	case len(r.Claim) > maxSetting || len(r.Value) > maxSetting:
		return fmt.Errorf("claim, value: one has more than %d bytes", maxSetting)
	case r.Claim == "" && r.Role != Invoke:
		return fmt.Errorf("role: %s for all holders of tokens is too much: name a claim", r.Role)
	}
	return checkPatterns(r.Namespaces, 1)
}

func checkPatterns(patterns []Pattern, least int) error {
	if len(patterns) < least || len(patterns) > MaxPatterns {
		return fmt.Errorf(`namespaces: name %d to %d, such as ["shop", "team-*"]`, least, MaxPatterns)
	}
	for _, p := range patterns {
		if fault := p.Fault(); fault != "" {
			return fmt.Errorf("namespaces: %.100q%s", string(p), fault)
		}
	}
	return nil
}

func isSetting(text string) bool { return text != "" && len(text) <= maxSetting }

// CheckURL says what is wrong with the address of an issuer, or of its keys: it must be https, or http to this
// machine.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || len(text) > maxSetting:
		return fmt.Errorf("%q is not a URL such as https://login.example.org/realm", text)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%q must begin with https://; only addresses of this machine may have http://", text)
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// GrantsOf are the roles of who holds a token with those claims.
func (i *Issuer) GrantsOf(claims map[string]json.RawMessage) (grants []Grant) {
	for _, rule := range i.Roles {
		if rule.Claim == "" || hasValue(claimOf(claims, rule.Claim), rule.Value) {
			grants = append(grants, rule.Grant)
		}
	}
	return grants
}

// claimOf is the value of a claim; nil if there is none.
func claimOf(claims map[string]json.RawMessage, name string) json.RawMessage {
	path, isPath := strings.CutPrefix(name, "/")
	if !isPath {
		return claims[name]
	}
	var found json.RawMessage
	for part := range strings.SplitSeq(path, "/") {
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		found = claims[part]
		claims = nil
		_ = json.Unmarshal(found, &claims) // what is no object has no members
	}
	return found
}

// hasValue says whether a claim is that text, or a list with it.
func hasValue(claim json.RawMessage, want string) bool {
	var text string
	if json.Unmarshal(claim, &text) == nil {
		return text == want
	}
	var list []json.RawMessage
	if json.Unmarshal(claim, &list) != nil {
		return false
	}
	return slices.ContainsFunc(list, func(item json.RawMessage) bool {
		var text string
		return len(item) > 0 && item[0] == '"' && json.Unmarshal(item, &text) == nil && text == want
	})
}
