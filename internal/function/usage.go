package function

import (
	"encoding/json"

	"github.com/backstage/functions/internal/usage"
)

// rate is an option of a number of calls in a time, such as "100/s".
func rate(name string, at func(*Options) **usage.Rate) Option {
	option := newOption(name, at, usage.Rate.String, func(text string) (usage.Rate, bool) {
		r, err := usage.ParseRate(text)
		return r, err == nil
	})
	option.sample = "600/m"
	option.fault = func(text string) string {
		_, err := usage.ParseRate(text)
		return err.Error()
	}
	return option
}

// quotas is an option of what may be used in a day: an object.
func quotas(name string, at func(*Options) **usage.Quotas) Option {
	write := func(q usage.Quotas) string { return string(q.JSON()) }
	option := newOption(name, at, write, func(text string) (usage.Quotas, bool) {
		q, err := usage.ParseQuotas(json.RawMessage(text))
		return q, err == nil
	})
	option.JSON, option.sample = true, `{"calls":1000,"cpu":"1h","egress":"1gb"}`
	option.fault = func(text string) string {
		_, err := usage.ParseQuotas(json.RawMessage(text))
		return err.Error()
	}
	return option
}
