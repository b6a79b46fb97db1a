package usage

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/backstage/functions/internal/bytesize"
	"github.com/backstage/functions/internal/duration"
	"github.com/backstage/functions/internal/members"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Quotas are the most that may be used in a day, which begins at 0:00 UTC. A field of 0 sets no limit.
type Quotas struct {
	Calls int64
	CPU   time.Duration
	// Egress is how many bytes functions may send to the outside.
	Egress int64
}

// The members of Quotas.
var quotaNames = []string{"calls", "cpu", "egress"}

const (
	maxQuotaCalls  = 1_000_000_000_000
	maxQuotaCPU    = 100_000 * time.Hour
	maxQuotaEgress = 1 << 50
)

// ParseQuotas reads an object such as {"calls":1000000,"cpu":"10h","egress":"50gb"}. Its error is the end of a
// sentence that begins with the name of what text is the value of.
func ParseQuotas(text json.RawMessage) (q Quotas, err error) {
	given, err := members.Of(text, "")
	if err != nil {
		return q, err
	}
	if err := members.Set(given, q.set); err != nil {
		return Quotas{}, err
	}
	return q, nil
}

func (q *Quotas) set(name string, value json.RawMessage) (err error) {
	var text string
	switch name {
	case "calls":
		q.Calls, err = strconv.ParseInt(string(value), 10, 64)
		if err != nil || q.Calls < 0 || q.Calls > maxQuotaCalls {
			return fmt.Errorf(".calls is not a whole number from 0 to %d", int64(maxQuotaCalls))
		}
	case "cpu":
		if json.Unmarshal(value, &text) == nil {
			q.CPU, err = duration.Parse(text)
		}
		if text == "" || err != nil || q.CPU <= 0 || q.CPU > maxQuotaCPU {
			return errors.New(`.cpu is not a duration with its unit, such as "30m" or "10h"`)
		}
	case "egress":
		if json.Unmarshal(value, &text) == nil {
			q.Egress, err = bytesize.Parse(text)
		}
		if text == "" || err != nil || q.Egress <= 0 || q.Egress > maxQuotaEgress {
			return errors.New(`.egress is not a number of bytes with its unit, such as "500mb" or "10gb"`)
		}
	default:
		return members.Unknown(name, quotaNames...)
	}
	return nil
}

// IsSet says whether q sets a limit.
func (q Quotas) IsSet() bool { return q != Quotas{} }

// JSON is what ParseQuotas reads.
func (q Quotas) JSON() json.RawMessage {
	o := rawjson.NewObject(nil)
	if q.Calls > 0 {
		o.Int("calls", q.Calls)
	}
	if q.CPU > 0 {
		o.String("cpu", duration.Text(q.CPU))
	}
	if q.Egress > 0 {
		o.String("egress", bytesize.Text(q.Egress))
	}
	return o.End()
}
