package logs

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
	"github.com/backstage/functions/sandbox/rawjson"
)

// gelfRun gathers what one run prints. It is an invoke.Summarizer.
type gelfRun struct {
	gelf *GELF
	call invoke.Call
	full limitedText
	sent *gelfMessage // by Finish
}

// Line implements invoke.RunOutput.
func (r *gelfRun) Line(line sandbox.LogLine) {
	if line.Text == "" {
		return
	}
	label := "info: "
	if line.Level == "error" {
		label = "error: "
	}
	r.full.add(label)
	r.full.add(string(appendLine(nil, line.Text)))
	r.full.add("\n")
}

// Finish implements invoke.RunOutput.
func (r *gelfRun) Finish(status int, took time.Duration) {
	r.sent = &gelfMessage{
		host:   r.gelf.host,
		call:   r.call.ID,
		ref:    r.call.Ref,
		status: status,
		took:   took,
		time:   time.Now(),
		full:   r.full.String(),
		fields: r.gelf.fields,
		header: r.headerFields(),
	}
	r.gelf.sender.send(r.sent)
}

// Fields implements invoke.Summarizer: the full message and the fields of this run, without those of every message.
func (r *gelfRun) Fields() map[string]json.RawMessage {
	fields := map[string]json.RawMessage{"full_message": rawjson.AppendString(nil, r.sent.full)}
	for _, some := range []map[string][]byte{r.sent.ofRun(), r.sent.ofHeader()} {
		for name, value := range some {
			fields[name] = value
		}
	}
	return fields
}

// headerFields picks the headers that are to be sent. It runs before the call ends, for the header is the caller's.
func (r *gelfRun) headerFields() map[string]string {
	if len(r.gelf.headers) == 0 {
		return nil
	}
	var header map[string]headerText
	if err := json.Unmarshal(r.call.Request.Header, &header); err != nil {
		return nil
	}
	picked := map[string]string{}
	for field, name := range r.gelf.headers {
		if value, ok := header[name]; ok {
			picked[field] = string(value)
		}
	}
	return picked
}

// headerText is the text of a header: of several values, which set-cookie alone may have, a list with commas.
type headerText string

// UnmarshalJSON implements json.Unmarshaler.
func (t *headerText) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, (*string)(t)); err == nil {
		return nil
	}
	var values []string
	if err := json.Unmarshal(text, &values); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	*t = headerText(strings.Join(values, ", "))
	return nil
}
