package function

import (
	"reflect"
	"testing"
	"time"
)

func TestTwoOptionsAllowTogetherWhatBothDo(t *testing.T) {
	one := &CORS{
		Origins: []string{"https://a", "https://b"}, Methods: []string{"PUT", "GET"}, Headers: []string{"X-A", "X-B"},
		Expose: []string{"X-C"}, Credentials: true, MaxAge: time.Minute,
	}
	anyone := &CORS{Origins: []string{"*"}, Headers: []string{"x-b"}, MaxAge: time.Hour}
	for name, row := range map[string]struct{ first, second, want *CORS }{
		"one alone": {nil, one, one},
		"with anyone": {one, anyone, &CORS{
			Origins: one.Origins, Methods: []string{"PUT", "GET"}, Headers: []string{"X-B"}, Expose: []string{},
			MaxAge: time.Minute,
		}},
		"anyone with": {anyone, one, &CORS{
			Origins: one.Origins, Methods: []string{"GET", "PUT"}, Headers: []string{"x-b"}, Expose: []string{},
			MaxAge: time.Minute,
		}},
		"nothing in common": {one, &CORS{Origins: []string{"https://c"}, Methods: []string{}, Credentials: true}, &CORS{
			Origins: []string{}, Methods: []string{}, Headers: []string{}, Expose: []string{}, Credentials: true,
		}},
	} {
		if got := row.first.And(row.second); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: %+v, want %+v", name, got, row.want)
		}
	}
}
