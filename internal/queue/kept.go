package queue

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/backstage/functions/internal/function"
)

// Failed is the status of a call whose caller has waited for it and got an error. Nothing runs such a call again.
const Failed Status = "failed"

// Kind says how a call came whose caller waits for it.
type Kind string

// The kinds of calls.
const (
	KindRun       Kind = "run"       // by the name of its function
	KindRoute     Kind = "route"     // by a route
	KindPipeline  Kind = "pipeline"  // as a step of one
	KindWebSocket Kind = "websocket" // for what happens on a connection
)

// Kept is the record of a call whose caller has waited for it. It does not change.
type Kept struct {
	// ID names the record. It is a version 7 UUID, so that lists are in the order of time.
	ID  string
	Ref function.Ref
	// Kind says how the call came, Step which step of its pipeline it was, from 1; 0 for none.
	Kind Kind
	Step int
	// Status is Succeeded or Failed, Reason says in a word why it failed.
	Status Status
	Reason string
	// Caller, RequestID and TraceID are as in Spec.
	Caller, RequestID, TraceID string
	// Start is when it was asked for, End when it was answered, and Expires when the record goes.
	Start, End, Expires time.Time
	// Detail is a JSON object of those who ran the call, and Output one more, with what its function has printed and has
	// thrown; empty for nothing.
	Detail, Output []byte
}

// KeptLimits bound records of calls whose callers have waited. Of a namespace the oldest ones of the function that has
// the most make room.
type KeptLimits struct {
	// Calls is how many a namespace has. Bytes are of all namespaces: the one that has the most makes room.
	Calls int
	Bytes int64
	// Age is how long a record is kept.
	Age time.Duration
}

// KeptOverhead is what such a record counts as beside its text, in bytes.
const KeptOverhead = 256

// KeptPage is a part of a list of them; see Page.
type KeptPage struct {
	Calls []*Kept
	Next  string
}

// keptRecord is the document of a Kept without its ID. Times are milliseconds since 1970.
type keptRecord struct {
	Namespace string          `json:"namespace"`
	Function  string          `json:"function"`
	Kind      Kind            `json:"kind"`
	Step      int             `json:"step,omitempty"`
	Status    Status          `json:"status"`
	Reason    string          `json:"reason,omitempty"`
	Caller    string          `json:"caller,omitempty"`
	RequestID string          `json:"requestID,omitempty"`
	TraceID   string          `json:"traceID,omitempty"`
	Start     int64           `json:"start"`
	End       int64           `json:"end"`
	Expires   int64           `json:"expires"`
	Detail    json.RawMessage `json:"detail,omitempty"`
	Output    json.RawMessage `json:"output,omitempty"`
}

// Record is k without its ID, as stores keep it.
func (k *Kept) Record() ([]byte, error) {
	return json.Marshal(keptRecord{
		Namespace: k.Ref.Namespace, Function: k.Ref.ID, Kind: k.Kind, Step: k.Step, Status: k.Status, Reason: k.Reason,
		Caller: k.Caller, RequestID: k.RequestID, TraceID: k.TraceID,
		Start: Millis(k.Start), End: Millis(k.End), Expires: Millis(k.Expires), Detail: k.Detail, Output: k.Output,
	})
}

// ParseKept is the inverse of Kept.Record.
func ParseKept(id string, text []byte) (*Kept, error) {
	var r keptRecord
	err := json.Unmarshal(text, &r)
	if err == nil && (id == "" || r.Namespace == "" || r.Function == "") {
		err = ErrIncomplete
	}
	if err != nil {
		return nil, fmt.Errorf("record of call %s: %w", id, err)
	}
	return &Kept{
		ID: id, Ref: function.Ref{Namespace: r.Namespace, ID: r.Function}, Kind: r.Kind, Step: r.Step, Status: r.Status,
		Reason: r.Reason, Caller: r.Caller, RequestID: r.RequestID, TraceID: r.TraceID,
		Start: Time(r.Start), End: Time(r.End), Expires: Time(r.Expires), Detail: r.Detail, Output: r.Output,
	}, nil
}

// Selects says whether q selects a call with these, apart from its function and its callback.
func (q *Query) Selects(status Status, reason string, created time.Time) bool {
	return (q.Status == "" || status == q.Status) && (q.Reason == "" || reason == q.Reason) && !created.Before(q.Since)
}
