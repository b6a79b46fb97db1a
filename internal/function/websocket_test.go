package function_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
)

func TestWebSocketIsReadAndWrittenAlike(t *testing.T) {
	option := function.OptionOf("websocket")
	for text, want := range map[string]struct {
		value function.WebSocket
		text  string
	}{
		`false`: {function.WebSocket{}, "false"},
		` {} `:  {function.WebSocket{On: true}, "{}"},
		`{"idle":"600s","protocols":["b","a"],"origins":["*"]}`: {
			function.WebSocket{On: true, Origins: []string{"*"}, Protocols: []string{"b", "a"}, Idle: 10 * time.Minute},
			`{"origins":["*"],"protocols":["b","a"],"idle":"10m"}`,
		},
	} {
		var o function.Options
		if fault := option.Parse(&o, json.RawMessage(text)); fault != "" {
			t.Fatalf("%s%s", text, fault)
		}
		got, _ := option.Get(&o)
		if !reflect.DeepEqual(*o.WebSocket, want.value) || got != want.text {
			t.Errorf("%s: %+v as %s, want %+v as %s", text, *o.WebSocket, got, want.value, want.text)
		}
	}
}

func TestWebSocketFaultsSayWhatToWrite(t *testing.T) {
	option := function.OptionOf("websocket")
	for text, want := range map[string]string{
		`null`:                               " is not of a type(s) object, and not false",
		`true`:                               " is not of a type(s) object, and not false",
		`[]`:                                 " is not of a type(s) object, and not false",
		`{"origin":[]}`:                      `.origin is not known`,
		`{"origins":"*"}`:                    ".origins is not an array of strings",
		`{"origins":null}`:                   ".origins is not an array of strings",
		`{"origins":["*","https://a"]}`:      `.origins has "*", which is every origin, and others beside it`,
		`{"origins":["https://a/"]}`:         `.origins has "https://a/", which is no origin`,
		`{"protocols":["a b"]}`:              `.protocols has "a b", which is no name of one`,
		`{"protocols":["a,b"]}`:              `.protocols has "a,b", which is no name of one`,
		`{"idle":10}`:                        `.idle is not a duration of at least 1s`,
		`{"idle":"10"}`:                      `.idle is not a duration of at least 1s`,
		`{"idle":"1ms"}`:                     `.idle is not a duration of at least 1s`,
		`{"x":1}`:                            `.x is not known: there are origins, protocols, idle`,
		`{"x":"` + strings.Repeat("x", 9000): " has 9006 bytes, 8192 are the most that are taken",
		`{"protocols":[` + strings.Repeat(`"a",`, 16) + `"a"]}`: ".protocols has 17 entries, 16 are the most",
	} {
		var o function.Options
		if fault := option.Parse(&o, json.RawMessage(text)); !strings.HasPrefix(fault, want) || o.WebSocket != nil {
			t.Errorf("%.40s: %q, want %q", text, fault, want)
		}
	}
}
