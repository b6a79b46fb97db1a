package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/internal/usage"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Usage shows what was used.
type Usage interface {
	// Usage returns what a subject used by hours, from the one of from to the one before to.
	Usage(ctx context.Context, s usage.Subject, from, to time.Time) ([]usage.Record, error)
}

const (
	// mostHours and mostDays are the longest times that an answer tells of.
	mostHours = 31 * 24 * time.Hour
	mostDays  = 3660 * 24 * time.Hour
)

// usageQuery is what is asked for.
type usageQuery struct {
	from, to time.Time
	by       string
}

// getUsage shows what a namespace used by hours or days.
func (s *server) getUsage(w http.ResponseWriter, r *http.Request) error {
	name, err := nameOf(r, "namespace")
	if err != nil {
		return err
	}
	q, err := parseUsageQuery(r, time.Now().UTC())
	if err != nil {
		return err
	}
	hours, err := s.Store.Usage(r.Context(), usage.Subject{Kind: usage.OfNamespace, Name: name}, q.from, q.to)
	if err != nil {
		return fmt.Errorf("usage of the namespace %q: %w", name, err)
	}
	sendJSON(w, r, http.StatusOK, usageJSON(name, q, hours))
	return nil
}

// parseUsageQuery reads from, to and by: by hours, those of today until now are shown otherwise.
func parseUsageQuery(r *http.Request, now time.Time) (q usageQuery, err error) {
	query := r.URL.Query()
	q = usageQuery{from: now.Truncate(24 * time.Hour), to: now, by: "hour"}
	if by := query.Get("by"); by != "" {
		q.by = by
	}
	for name, at := range map[string]*time.Time{"from": &q.from, "to": &q.to} {
		if text := query.Get(name); text != "" {
			if *at, err = parseTime(text); err != nil {
				return q, outcome.BadRequest(name + ` is not a time such as "2026-11-29" or "2026-11-29T13:00:00Z"`)
			}
		}
	}
	most := map[string]time.Duration{"hour": mostHours, "day": mostDays}[q.by]
	switch {
	case most == 0:
		return q, outcome.BadRequest("by is not one of hour, day")
	case q.to.Before(q.from):
		return q, outcome.BadRequest("to is before from")
	case q.to.Sub(q.from) > most:
		return q, outcome.BadRequest("from and to are more than " + strconv.Itoa(int(most/(24*time.Hour))) + " days apart: " +
			"ask for less at a time, or for days with by=day, which may be up to " +
			strconv.Itoa(int(mostDays/(24*time.Hour))) + " days apart")
	case q.by == "day":
		q.from = q.from.Truncate(24 * time.Hour)
		return q, nil
	}
	q.from = q.from.Truncate(time.Hour)
	return q, nil
}

func parseTime(text string) (time.Time, error) {
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if at = at.UTC(); err == nil && at.Year() > 9999 {
		err = fmt.Errorf("the year %d", at.Year())
	}
	return at, err
}

// usageJSON adds hours up as they are asked for.
func usageJSON(name string, q usageQuery, hours []usage.Record) []byte {
	var total usage.Amount
	var periods []usage.Record
	for _, r := range hours {
		total.Add(r.Amount)
		if q.by == "day" {
			r.Hour = r.Hour.Truncate(24 * time.Hour)
		}
		if n := len(periods); n > 0 && periods[n-1].Hour.Equal(r.Hour) {
			periods[n-1].Add(r.Amount)
		} else {
			periods = append(periods, r)
		}
	}
	o := rawjson.NewObject(nil)
	o.String("namespace", name)
	o.String("from", q.from.Format(time.RFC3339))
	o.String("to", q.to.Format(time.RFC3339))
	o.Raw("items", itemsJSON(periods, func(r usage.Record) []byte {
		item := rawjson.NewObject(nil)
		item.String(q.by, r.Hour.Format(time.RFC3339))
		putAmount(&item, r.Amount)
		return item.End()
	}))
	all := rawjson.NewObject(nil)
	putAmount(&all, total)
	o.Raw("total", all.End())
	return o.End()
}

func putAmount(o *rawjson.Object, a usage.Amount) {
	decimal := func(f float64) []byte { return strconv.AppendFloat(nil, f, 'f', -1, 64) }
	o.Int("calls", a.Calls)
	o.Raw("cpuSeconds", decimal(a.CPU.Seconds()))
	o.Raw("gbSeconds", decimal(a.GBSeconds()))
	o.Int("egressBytes", a.Egress)
}
