package function

import (
	"strings"
	"testing"
	"time"
)

func TestRetriesAreReadAndWritten(t *testing.T) {
	option := OptionOf("retries")
	for text, want := range map[string]Retries{
		`{}`:               {},
		`{"attempts":1}`:   {Attempts: 1},
		`{"attempts":100}`: {Attempts: 100},
		`{"attempts":5,"backoff":"500ms","maxAge":"336h"}`: {5, 500 * time.Millisecond, 336 * time.Hour},
		`{"backoff":"1h"}`: {Backoff: time.Hour},
	} {
		var o Options
		if fault := option.Parse(&o, []byte(text)); fault != "" || *o.Retries != want {
			t.Errorf("%s: %q, %+v", text, fault, o.Retries)
			continue
		}
		written, ok := option.Get(&o)
		var again Options
		if !ok || !option.Set(&again, written) || *again.Retries != want {
			t.Errorf("%s is written as %s", text, written)
		}
	}
}

func TestRetriesThatCannotBeAreExplained(t *testing.T) {
	for text, want := range map[string]string{
		`3`:                   " is not of a type(s) object",
		`null`:                " is not of a type(s) object",
		`{"attempts":0}`:      ".attempts is not a whole number from 1 to 100",
		`{"attempts":101}`:    ".attempts is not a whole number from 1 to 100",
		`{"attempts":"3"}`:    ".attempts is not a whole number from 1 to 100",
		`{"backoff":1}`:       ".backoff is not a duration with its unit of at most 1h",
		`{"backoff":"2h"}`:    ".backoff is not a duration with its unit of at most 1h",
		`{"maxAge":"-1s"}`:    ".maxAge is not a duration with its unit of at most 336h",
		`{"attempt":3}`:       ".attempt is not known",
		`{"attempts":1,"x":}`: " is not of a type(s) object",
	} {
		var o Options
		if fault := OptionOf("retries").Parse(&o, []byte(text)); !strings.HasPrefix(fault, want) || o.Retries != nil {
			t.Errorf("%s: %q, want %q", text, fault, want)
		}
	}
}

func TestRetriesHaveDefaults(t *testing.T) {
	if got := (Retries{}).WithDefaults(); got != (Retries{3, time.Second, 6 * time.Hour}) {
		t.Errorf("got %+v", got)
	}
	if got := (Retries{1, time.Minute, time.Hour}).WithDefaults(); got != (Retries{1, time.Minute, time.Hour}) {
		t.Errorf("got %+v", got)
	}
}
