package usage

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/backstage/functions/sandbox/rawjson"
)

// The names of the members of Limits.
const (
	MemberRate   = "rate"
	MemberQuotas = "quotas"
)

// Limits are a rate and daily quotas. The zero value sets no limit.
type Limits struct {
	Rate   Rate
	Quotas Quotas
}

// IsSet says whether l sets a limit.
func (l Limits) IsSet() bool { return l.Rate.IsSet() || l.Quotas.IsSet() }

// Over returns l with what it does not limit taken from other.
func (l Limits) Over(other Limits) Limits {
	if !l.Rate.IsSet() {
		l.Rate = other.Rate
	}
	if l.Quotas.Calls == 0 {
		l.Quotas.Calls = other.Quotas.Calls
	}
	if l.Quotas.CPU == 0 {
		l.Quotas.CPU = other.Quotas.CPU
	}
	if l.Quotas.Egress == 0 {
		l.Quotas.Egress = other.Quotas.Egress
	}
	return l
}

// Within returns l with no more than other allows.
func (l Limits) Within(other Limits) Limits {
	l = l.Over(other)
	if other.Rate.IsSet() {
		l.Rate = l.Rate.within(other.Rate)
	}
	least := func(own, most int64) int64 {
		if most == 0 {
			return own
		}
		return min(own, most)
	}
	l.Quotas.Calls = least(l.Quotas.Calls, other.Quotas.Calls)
	l.Quotas.CPU = time.Duration(least(int64(l.Quotas.CPU), int64(other.Quotas.CPU)))
	l.Quotas.Egress = least(l.Quotas.Egress, other.Quotas.Egress)
	return l
}

// ParseMember reads the member of that name into l. Its error is the end of a sentence that begins with the name.
func (l *Limits) ParseMember(name string, value json.RawMessage) (err error) {
	if name == MemberQuotas {
		l.Quotas, err = ParseQuotas(value)
		return err
	}
	if !rawjson.IsString(value) {
		return errRate
	}
	l.Rate, err = ParseRate(rawjson.Unquote(value))
	return err
}

// Put adds to an object the members that are set.
func (l Limits) Put(o *rawjson.Object) {
	if l.Rate.IsSet() {
		o.String(MemberRate, l.Rate.String())
	}
	if l.Quotas.IsSet() {
		o.Raw(MemberQuotas, l.Quotas.JSON())
	}
}

// Namespace is what an operator has set for a namespace.
type Namespace struct {
	Name string
	// Disabled says that nothing of it runs.
	Disabled bool
	Limits
}

// ErrTooMany marks a store that has limits of as many namespaces as it takes, and ErrIncomplete limits of none.
var (
	ErrTooMany    = errors.New("there are limits of as many namespaces as a server takes: delete some first")
	ErrIncomplete = errors.New("limits need the name of their namespace")
)

// Check returns ErrIncomplete when n cannot be stored.
func (n Namespace) Check() error {
	if n.Name == "" {
		return ErrIncomplete
	}
	return nil
}

// Compare orders namespaces by their names.
func (n Namespace) Compare(other Namespace) int { return strings.Compare(n.Name, other.Name) }

// JSON shows what is set, without the name.
func (n Namespace) JSON() json.RawMessage {
	o := rawjson.NewObject(nil)
	if n.Disabled {
		o.Raw(memberDisabled, json.RawMessage("true"))
	}
	n.Put(&o)
	return o.End()
}

// memberDisabled is that of Namespace.Disabled.
const memberDisabled = "disabled"

// NamespaceMembers are those that Namespace.ParseMember reads.
var NamespaceMembers = []string{memberDisabled, MemberRate, MemberQuotas}

// ParseMember reads the member of that name, one of NamespaceMembers, into n. Its error is the end of a sentence that
// begins with the name.
func (n *Namespace) ParseMember(name string, value json.RawMessage) error {
	if name != memberDisabled {
		return n.Limits.ParseMember(name, value)
	}
	if json.Unmarshal(value, &n.Disabled) != nil || string(value) == "null" {
		return errors.New(" is not of a type(s) boolean")
	}
	return nil
}

// ParseNamespace is the inverse of Namespace.JSON.
func ParseNamespace(name string, text json.RawMessage) (Namespace, error) {
	n := Namespace{Name: name}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return n, fmt.Errorf("limits of the namespace %q: %w", name, err)
	}
	for _, member := range NamespaceMembers {
		if value, ok := members[member]; ok {
			if err := n.ParseMember(member, value); err != nil {
				return n, fmt.Errorf("limits of the namespace %q: %s%w", name, member, err)
			}
		}
	}
	return n, nil
}
