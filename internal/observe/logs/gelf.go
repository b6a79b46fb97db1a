package logs

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// GELFOptions configure a GELF output. All but the fields are required.
type GELFOptions struct {
	// Addresses are the targets, "host:port".
	Addresses []string
	// Fields are sent with every message. Numbers and texts are sent as they are, other values as their JSON text.
	Fields map[string]json.RawMessage
	// HeaderFields names fields that carry a header of the request, by lower-case name.
	HeaderFields map[string]string
	// MaxFullMessage is how many characters of what a run printed are sent.
	MaxFullMessage int
	// MaxChunkSize is the largest datagram in bytes; a longer message is cut into chunks.
	MaxChunkSize int
	// Console receives the lines that belong to no run.
	Console *Console
	// Logger is told of messages that could not be sent.
	Logger *slog.Logger
}

// GELF sends what each run of a function printed as one message in the Graylog Extended Log Format, version 1.0, over
// UDP to every target. It is an invoke.Output, safe for concurrent use.
type GELF struct {
	console *Console
	limit   int // of the full message, in characters
	host    string
	fields  map[string][]byte // as JSON
	headers map[string]string
	sender  *gelfSender
}

// NewGELF returns a GELF output; Close stops it. Targets are looked up when the first message is sent.
func NewGELF(o GELFOptions) (*GELF, error) {
	fields, err := gelfFields(o.Fields)
	if err != nil {
		return nil, err
	}
	headers := map[string]string{}
	for name, header := range o.HeaderFields {
		if err := checkField(name); err != nil {
			return nil, err
		}
		headers[name] = strings.ToLower(header)
	}
	if o.MaxChunkSize <= chunkHeader {
		return nil, fmt.Errorf("gelf: chunks of %d bytes have no room for data", o.MaxChunkSize)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("gelf: host name: %w", err)
	}
	return &GELF{
		console: o.Console,
		limit:   o.MaxFullMessage,
		host:    host,
		fields:  fields,
		headers: headers,
		sender:  newGELFSender(o.Addresses, o.MaxChunkSize, o.Logger),
	}, nil
}

// gelfFields turns values into those that GELF knows, which are texts and numbers only.
func gelfFields(values map[string]json.RawMessage) (map[string][]byte, error) {
	fields := map[string][]byte{}
	for name, value := range values {
		if err := checkField(name); err != nil {
			return nil, err
		}
		var decoded any
		if err := json.Unmarshal(value, &decoded); err != nil {
			return nil, fmt.Errorf("gelf: field %s: %w", name, err)
		}
		switch decoded.(type) {
		case string, float64:
			fields[name] = value
		default:
			fields[name] = rawjson.AppendString(nil, string(value))
		}
	}
	return fields, nil
}

// fieldName is what GELF allows; it also forbids "id".
var fieldName = regexp.MustCompile(`^[\w.-]+$`)

func checkField(name string) error {
	if strings.TrimPrefix(name, "_") == "id" || !fieldName.MatchString(name) {
		return fmt.Errorf("gelf: field name %q is not allowed", name)
	}
	return nil
}

// Print implements invoke.Output.
func (g *GELF) Print(ref function.Ref, line sandbox.LogLine) { g.console.Print(ref, line) }

// Start implements invoke.Output.
func (g *GELF) Start(call invoke.Call) invoke.RunOutput {
	return &gelfRun{gelf: g, call: call, full: limitedText{left: g.limit}}
}

// Close sends what waits and returns. Runs that finish later are not sent.
func (g *GELF) Close() { g.sender.close() }
