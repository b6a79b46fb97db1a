package usage

import (
	"slices"
	"time"
)

// Amount is what calls have used. The zero value is nothing.
type Amount struct {
	Calls int64
	// CPU is the processor time of workers.
	CPU time.Duration
	// Memory is the memory that workers had, in MiB, times how long they had calls, in milliseconds.
	Memory int64
	// Egress is how many bytes functions sent to the outside.
	Egress int64
}

// Add adds other to a.
func (a *Amount) Add(other Amount) {
	a.Calls += other.Calls
	a.CPU += other.CPU
	a.Memory += other.Memory
	a.Egress += other.Egress
}

// Less returns a without other.
func (a Amount) Less(other Amount) Amount {
	return Amount{a.Calls - other.Calls, a.CPU - other.CPU, a.Memory - other.Memory, a.Egress - other.Egress}
}

// GBSeconds is Memory in GiB times seconds.
func (a Amount) GBSeconds() float64 { return float64(a.Memory) / (1 << 10) / 1000 }

// MemoryOf is the Memory of a call that had that many bytes for so long.
func MemoryOf(bytes int64, took time.Duration) int64 {
	return int64(float64(bytes) / (1 << 20) * float64(took) / float64(time.Millisecond))
}

// Kind says what a Subject is.
type Kind string

// The kinds.
const (
	OfNamespace Kind = "namespace"
	OfFunction  Kind = "function"
	OfKey       Kind = "key"
	// OfOwner is all namespaces of an owner.
	OfOwner Kind = "owner"
)

// Subject is what usage is counted of.
type Subject struct {
	Kind Kind
	// Name is that of the namespace, "namespace/id" of a function with its slashes, or the ID of a key.
	Name string
}

// String is such as "namespace shop".
func (s Subject) String() string { return string(s.Kind) + " " + s.Name }

// Record is what a subject used in an hour.
type Record struct {
	Subject
	// Hour is its begin in UTC.
	Hour time.Time
	Amount
}

// Batch is what one server has counted.
type Batch struct {
	// Server names the server. Number is larger than those of its batches before: a store adds a batch of the same Number
	// once, so it can be sent again after an error.
	Server string
	Number uint64
	// Records are of different subjects. Amounts of zero are not kept; their totals are returned all the same.
	Records []Record
	// Keep is how long records are kept from the begin of their day.
	Keep time.Duration
}

// HasAmounts says whether a record has an amount.
func (b *Batch) HasAmounts() bool {
	return slices.ContainsFunc(b.Records, func(r Record) bool { return r.Amount != Amount{} })
}

// Totals are what a store knows after it has added a batch.
type Totals struct {
	// Days are the amounts of the whole days of the records, of all servers, in the order of the records.
	Days []Amount
	// Servers are how many have sent a batch in the last ServerAge, this one included.
	Servers int
}

// ServerAge is how long a server counts that sends no batches.
const ServerAge = time.Minute

// dayForm is how the day of a time is written.
const dayForm = "2006-01-02"

// DayOf is the day of a time, such as "2026-11-29", in UTC.
func DayOf(t time.Time) string { return t.UTC().Format(dayForm) }

// BeginOf is the begin of a day that DayOf has written.
func BeginOf(day string) time.Time {
	begin, _ := time.Parse(dayForm, day)
	return begin
}

// DaysOf are the days from the one of from to the last one that begins before to.
func DaysOf(from, to time.Time) (days []string) {
	for at := from.UTC().Truncate(24 * time.Hour); at.Before(to); at = at.Add(24 * time.Hour) {
		days = append(days, DayOf(at))
	}
	return days
}

// Take asks for tokens of the bucket of a rate that servers share.
type Take struct {
	Subject
	Rate Rate
	Want int
}

// Grant is what a Take got.
type Grant struct {
	// Tokens is how many, at most as many as were wanted.
	Tokens int
	// Left is how many are in the bucket after that.
	Left int
	// Wait is, where there were fewer, how long it takes until there is one.
	Wait time.Duration
}
