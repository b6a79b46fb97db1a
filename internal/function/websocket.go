package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/backstage/functions/internal/duration"
	"github.com/backstage/functions/internal/members"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Limits of WebSocket.
const (
	maxWebSocket        = 8 << 10 // bytes of all of it
	maxWebSocketOrigins = 50
	maxProtocols        = 16
)

// WebSocket says that the server holds WebSocket connections for a function, and whose. The zero value says that it
// does not.
type WebSocket struct {
	On bool
	// Origins are those of other sites whose pages may connect, such as "https://app.example.org"; "*" alone is every
	// one. Pages of the site itself, and callers that are no browsers, always may.
	Origins []string
	// Protocols are the subprotocols to choose from, the best one first.
	Protocols []string
	// Idle is how long a connection may carry no message; 0 stands for the server's own.
	Idle time.Duration
}

// Allows says whether pages of origin, which is that of another site, may connect.
func (s *WebSocket) Allows(origin string) bool {
	return slices.Contains(s.Origins, origin) || slices.Contains(s.Origins, "*")
}

// webSocket is an option that is a WebSocket: an object, or false for none.
func webSocket(name string, at func(*Options) **WebSocket) Option {
	option := newOption(name, at, WebSocket.json, func(text string) (WebSocket, bool) {
		s, err := parseWebSocket([]byte(text))
		return s, err == nil
	})
	option.JSON = true
	option.sample = `{"origins":["https://app.example.org"],"protocols":["chat.v1"],"idle":"10m"}`
	option.fault = func(text string) string {
		_, err := parseWebSocket([]byte(text))
		return err.Error()
	}
	return option
}

// json is the inverse of parseWebSocket, without white space.
func (s WebSocket) json() string {
	if !s.On {
		return "false"
	}
	o := rawjson.NewObject(nil)
	if s.Origins != nil {
		o.Strings("origins", s.Origins)
	}
	if s.Protocols != nil {
		o.Strings("protocols", s.Protocols)
	}
	if s.Idle > 0 {
		o.String("idle", duration.Text(s.Idle))
	}
	return string(o.End())
}

// parseWebSocket reads the option. Its error is the end of a sentence that begins with its name.
func parseWebSocket(text []byte) (s WebSocket, err error) {
	if len(text) > maxWebSocket {
		return s, fmt.Errorf(" has %d bytes, %d are the most that are taken", len(text), maxWebSocket)
	}
	if string(text) == "false" {
		return s, nil
	}
	given, err := members.Of(text, ", and not false")
	if err != nil {
		return s, err
	}
	s.On = true
	if err := members.Set(given, s.set); err != nil {
		return WebSocket{}, err
	}
	if err := s.check(); err != nil {
		return WebSocket{}, err
	}
	return s, nil
}

// set reads one member.
func (s *WebSocket) set(name string, value json.RawMessage) error {
	lists := map[string]*[]string{"origins": &s.Origins, "protocols": &s.Protocols}
	if list := lists[name]; list != nil {
		if json.Unmarshal(value, list) != nil || *list == nil {
			return fmt.Errorf(".%s is not an array of strings", name)
		}
		return nil
	}
	known := []string{"origins", "protocols", "idle"}
	if name != "idle" {
		return members.Unknown(name, known...)
	}
	var text string
	if json.Unmarshal(value, &text) == nil {
		if d, err := duration.Parse(text); err == nil && d >= time.Second {
			s.Idle = d
			return nil
		}
	}
	return errors.New(`.idle is not a duration of at least 1s with its unit, such as "10m"`)
}

func (s *WebSocket) check() error {
	if len(s.Origins) > maxWebSocketOrigins {
		return fmt.Errorf(".origins has %d entries, %d are the most that are taken", len(s.Origins), maxWebSocketOrigins)
	}
	for _, origin := range s.Origins {
		if err := checkOrigin(origin); err != nil {
			return fmt.Errorf(".origins has %q, %w", origin, err)
		}
	}
	if len(s.Origins) > 1 && slices.Contains(s.Origins, "*") {
		return errors.New(`.origins has "*", which is every origin, and others beside it`)
	}
	if len(s.Protocols) > maxProtocols {
		return fmt.Errorf(".protocols has %d entries, %d are the most that are taken", len(s.Protocols), maxProtocols)
	}
	for _, protocol := range s.Protocols {
		if len(protocol) > 128 || !httpguts.ValidHeaderFieldName(protocol) { // both are tokens: RFC 6455, section 4.1
			return fmt.Errorf(".protocols has %q, which is no name of one", protocol)
		}
	}
	return nil
}
