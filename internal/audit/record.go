package audit

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// maxText is the longest text of a record, in bytes: longer ones are cut, and end in "…".
const maxText = 1 << 10

// Result is what came of a request.
type Result string

// The results.
const (
	Done    Result = "done"    // the write was answered with success
	Failed  Result = "failed"  // the write was answered with an error; parts of it may have been done
	Refused Result = "refused" // the caller may not do it
	// Tolerated was served, but AUTH=on would have refused it.
	Tolerated Result = "tolerated"
	Dropped   Result = "dropped" // stands for refusals without a record: Record.Dropped says how many
)

// Results are all of them.
var Results = []Result{Done, Failed, Refused, Tolerated, Dropped}

// Record is one write, or one refusal. It has no secrets: neither keys nor code nor values of variables. What callers
// have sent is text of any characters, which JSON escapes.
type Record struct {
	// ID is the place of the record in the list of a store, which sets it; empty elsewhere.
	ID     string    `json:"id,omitempty"`
	Time   time.Time `json:"time"`
	Result Result    `json:"result"`
	// Status is that of the answer; 0 when there was none. Reason is the one in a refusal.
	Status int    `json:"status,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Action is the method and the resource, such as "PUT /functions/{namespace}/{id}".
	Action string `json:"action,omitempty"`
	// Actor is the ID of the caller's key, or the issuer of their token, "#" and its subject; empty without a valid one.
	// Claimed is the ID in a key that was refused.
	Actor   string `json:"actor,omitempty"`
	Claimed string `json:"claimed,omitempty"`
	// Address is that of the caller, by what trusted proxies tell.
	Address string `json:"address,omitempty"`
	// Namespaces are those that it was about, or the patterns of a key. Target has the other names in the path.
	Namespaces []string          `json:"namespaces,omitempty"`
	Target     map[string]string `json:"target,omitempty"`
	// Hash and Revision are those of what was stored.
	Hash     string `json:"hash,omitempty"`
	Revision string `json:"revision,omitempty"`
	// Role is that of a key that was made.
	Role      string `json:"role,omitempty"`
	RequestID string `json:"requestId,omitempty"`
	// Dropped is how many refusals before this record have none: there were too many at a time.
	Dropped int64 `json:"dropped,omitempty"`

	// Group is with whom the record shares room in the list: see Evict. It is no part of the JSON.
	Group string `json:"-"`
}

// Name has r tell the name of something that it is about, such as a key.
func (r *Record) Name(what, name string) {
	if r.Target == nil {
		r.Target = map[string]string{}
	}
	r.Target[what] = name
}

// JSON is r as one JSON object without line breaks. Texts that are too long are cut.
func (r Record) JSON() []byte {
	for _, text := range []*string{
		&r.Reason, &r.Action, &r.Actor, &r.Claimed, &r.Address, &r.Hash, &r.Revision, &r.Role, &r.RequestID,
	} {
		*text = cut(*text)
	}
	r.Namespaces = slices.Clone(r.Namespaces)
	for i := range r.Namespaces {
		r.Namespaces[i] = cut(r.Namespaces[i])
	}
	r.Target = maps.Clone(r.Target)
	for name, value := range r.Target {
		r.Target[name] = cut(value)
	}
	text, err := json.Marshal(r)
	if err != nil { // times from year 0 to 9999 marshal, and so does text
		panic(err)
	}
	return text
}

// Parse is the inverse of JSON.
func Parse(text []byte) (r Record, err error) { return r, json.Unmarshal(text, &r) }

// cut shortens text to maxText bytes of valid UTF-8.
func cut(text string) string {
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}
