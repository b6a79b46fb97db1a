package usage

import (
	"encoding/json"
	"time"
)

// Day is what a subject used in a day, by hours.
type Day struct {
	Total Amount
	Hours map[int]Amount
}

// Add adds what was used in an hour of the day.
func (d *Day) Add(hour int, a Amount) {
	if d.Hours == nil {
		d.Hours = map[int]Amount{}
	}
	of := d.Hours[hour]
	of.Add(a)
	d.Hours[hour] = of
	d.Total.Add(a)
}

// Records are those of the hours of the day from the one of from to the one before to, the first one first. Day begins
// the day.
func (d *Day) Records(s Subject, day, from, to time.Time) (records []Record) {
	for hour := range 24 {
		at := day.Add(time.Duration(hour) * time.Hour)
		if a := d.Hours[hour]; a != (Amount{}) && !at.Add(time.Hour).Add(-1).Before(from) && at.Before(to) {
			records = append(records, Record{s, at, a})
		}
	}
	return records
}

// JSON is d as stores keep it.
func (d *Day) JSON() []byte {
	text, err := json.Marshal(d)
	if err != nil { // numbers always marshal
		panic(err)
	}
	return text
}

// ParseDay is the inverse of Day.JSON.
func ParseDay(text []byte) (d Day, err error) {
	err = json.Unmarshal(text, &d)
	return d, err
}
