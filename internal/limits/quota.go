package limits

import (
	"time"

	"github.com/backstage/functions/internal/bytesize"
	"github.com/backstage/functions/internal/duration"
	"github.com/backstage/functions/internal/usage"
)

// quota is what a server knows of the usage of a subject today. The mutex of its entry guards it.
type quota struct {
	day string
	// known is the usage of all servers when the store last told, if it has told today.
	known  usage.Amount
	synced time.Time
	// unsent is what this server has used since, as far as it was collected.
	unsent usage.Amount
}

// begin makes today the day.
func (q *quota) begin(day string) {
	if q.day != day {
		*q = quota{day: day}
	}
}

// standing is how one of the quotas stands.
type standing struct {
	limit, left int64
	// ours is what this server may still use of left until the store has told of the others.
	ours int64
	what string
}

// standings are those of the quotas that are set, for what this server has used beyond known. Of what is left it may
// use one of so many parts.
func (q *quota) standings(limits usage.Quotas, own usage.Amount, parts int) (all []standing) {
	add := func(limit, known, own int64, what string) {
		if limit == 0 {
			return
		}
		rest := max(limit-known, 0)
		share := (rest + int64(parts) - 1) / int64(parts)
		all = append(all, standing{limit, rest - own, share - own, what})
	}
	add(limits.Calls, q.known.Calls, own.Calls, usage.CallsWords(limits.Calls))
	add(int64(limits.CPU), int64(q.known.CPU), int64(own.CPU), duration.Text(limits.CPU)+" of processors")
	add(limits.Egress, q.known.Egress, own.Egress, bytesize.Text(limits.Egress)+" of egress")
	return all
}

// tomorrow is how long it takes until the next day.
func tomorrow(now time.Time) time.Duration {
	return now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now)
}
