package queue

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/usage"
)

// specRecord is the document of what never changes of a call, without its payload. Times are milliseconds.
type specRecord struct {
	Namespace string `json:"namespace"`
	Function  string `json:"function"`
	Caller    string `json:"caller,omitempty"`
	RequestID string `json:"requestID,omitempty"`
	TraceID   string `json:"traceID,omitempty"`
	URI       string `json:"uri,omitempty"`
	Attempts  int    `json:"attempts"`
	Backoff   int64  `json:"backoff,omitempty"`
	MaxAge    int64  `json:"maxAge"`
	Keep      int64  `json:"keep"`
	KeepDead  int64  `json:"keepDead"`
	Key       string `json:"key,omitempty"`
	Print     string `json:"print,omitempty"`
	KeyFor    int64  `json:"keyFor,omitempty"`
	// Rate and Quotas are the limits of the caller's key.
	Rate   string          `json:"rate,omitempty"`
	Quotas json.RawMessage `json:"quotas,omitempty"`
	Steps  []stepRecord    `json:"steps,omitempty"`
	// CallTo and SignedBy are the Callback.
	CallTo   string `json:"callTo,omitempty"`
	SignedBy string `json:"signedBy,omitempty"`
	Held     bool   `json:"held,omitempty"`
}

// Record is s without its ID and its payload, as stores keep it.
func (s *Spec) Record() []byte {
	r := specRecord{
		s.Ref.Namespace, s.Ref.ID, s.Caller, s.RequestID, s.TraceID, s.URI, s.Attempts, s.Backoff.Milliseconds(),
		s.MaxAge.Milliseconds(), s.Keep.Milliseconds(), s.KeepDead.Milliseconds(), s.Key, s.Print,
		s.KeyFor.Milliseconds(), s.Limits.Rate.String(), nil, recordsOf(s.Steps), s.CallTo.URL, s.CallTo.Secret, s.Held,
	}
	if s.Limits.Quotas.IsSet() {
		r.Quotas = s.Limits.Quotas.JSON()
	}
	text, err := json.Marshal(r)
	if err != nil { // texts and numbers always marshal
		panic(err)
	}
	return text
}

// ParseSpec is the inverse of Record.
func ParseSpec(id string, text []byte) (s Spec, err error) {
	var r specRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return s, fmt.Errorf("record of call %s: %w", id, err)
	}
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	s = Spec{
		ID: id, Ref: function.Ref{Namespace: r.Namespace, ID: r.Function},
		Caller: r.Caller, RequestID: r.RequestID, TraceID: r.TraceID, URI: r.URI,
		Attempts: r.Attempts, Backoff: ms(r.Backoff), MaxAge: ms(r.MaxAge), Keep: ms(r.Keep), KeepDead: ms(r.KeepDead),
		Key: r.Key, Print: r.Print, KeyFor: ms(r.KeyFor), Steps: stepsOf(r.Steps),
		CallTo: Callback{r.CallTo, r.SignedBy}, Held: r.Held,
	}
	if s.Limits.Rate, err = usage.ParseRate(r.Rate); err == nil && r.Quotas != nil {
		s.Limits.Quotas, err = usage.ParseQuotas(r.Quotas)
	}
	if err := cmp.Or(err, s.Check()); err != nil {
		return s, fmt.Errorf("record of call %s: %w", id, err)
	}
	return s, nil
}

// callRecord is the document of a whole call without its payload and its result. Times are milliseconds since 1970, 0
// for none.
type callRecord struct {
	Spec     json.RawMessage `json:"spec"`
	Status   Status          `json:"status"`
	Takes    int             `json:"takes,omitempty"`
	Used     int             `json:"used,omitempty"`
	Step     int             `json:"step,omitempty"`
	First    int64           `json:"first,omitempty"`
	Created  int64           `json:"created"`
	Due      int64           `json:"due"`
	Until    int64           `json:"until"`
	Taken    int64           `json:"taken,omitempty"`
	Lease    int64           `json:"lease,omitempty"`
	Server   string          `json:"server,omitempty"`
	Settled  int64           `json:"settled,omitempty"`
	Expires  int64           `json:"expires,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	History  []attemptRecord `json:"history,omitempty"`
	Progress json.RawMessage `json:"progress,omitempty"`
	Result   bool            `json:"result,omitempty"`
	Dropped  int64           `json:"dropped,omitempty"`
	Callback Status          `json:"callback,omitempty"`
}

type attemptRecord struct {
	Start  int64           `json:"start"`
	End    int64           `json:"end"`
	Detail json.RawMessage `json:"detail,omitempty"`
}

// Record is c without its ID, payload and result, as a store of one process keeps it.
func (c *Call) Record() ([]byte, error) {
	r := callRecord{
		Spec: c.Spec.Record(), Status: c.Status, Takes: c.Takes, Used: c.Used, Step: c.Step, First: c.First,
		Created: Millis(c.Created), Due: Millis(c.Due), Until: Millis(c.Until), Taken: Millis(c.Taken),
		Lease: Millis(c.Lease), Server: c.Server, Settled: Millis(c.Settled), Expires: Millis(c.Expires),
		Reason: c.Reason, Progress: c.Progress, Result: c.HasResult, Dropped: c.Dropped, Callback: c.Callback,
	}
	for _, a := range c.History {
		r.History = append(r.History, attemptRecord{Millis(a.Start), Millis(a.End), a.Detail})
	}
	return json.Marshal(r)
}

// ParseCall is the inverse of Call.Record.
func ParseCall(id string, text []byte) (*Call, error) {
	var r callRecord
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("record of call %s: %w", id, err)
	}
	spec, err := ParseSpec(id, r.Spec)
	if err != nil {
		return nil, err
	}
	c := &Call{
		Spec: spec, Status: r.Status, Takes: r.Takes, Used: r.Used, Step: r.Step, First: r.First,
		Created: Time(r.Created), Due: Time(r.Due), Until: Time(r.Until), Taken: Time(r.Taken),
		Lease: Time(r.Lease), Server: r.Server, Settled: Time(r.Settled), Expires: Time(r.Expires),
		Reason: r.Reason, Progress: r.Progress, HasResult: r.Result, Dropped: r.Dropped, Callback: r.Callback,
	}
	for _, a := range r.History {
		c.History = append(c.History, Attempt{Time(a.Start), Time(a.End), a.Detail})
	}
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("record of call %s: %w", id, err)
	}
	return c, nil
}

// Millis is t in milliseconds since 1970; 0 for the zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Time is the inverse of Millis.
func Time(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
