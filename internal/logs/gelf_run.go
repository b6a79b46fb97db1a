package logs

import (
	"encoding/json"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// gelfRun gathers what one run prints.
type gelfRun struct {
	gelf   *GELF
	ref    function.Ref
	header json.RawMessage
	full   limitedText
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
	r.full.add(line.Text)
	r.full.add("\n")
}

// Finish implements invoke.RunOutput.
func (r *gelfRun) Finish(status int, took time.Duration) {
	r.gelf.sender.send(&gelfMessage{
		host:   r.gelf.host,
		ref:    r.ref,
		status: status,
		took:   took,
		time:   time.Now(),
		full:   r.full.String(),
		fields: r.gelf.fields,
		header: r.headerFields(),
	})
}

// headerFields picks the headers that are to be sent. It runs before the call ends, for the header is the caller's.
func (r *gelfRun) headerFields() map[string]string {
	if len(r.gelf.headers) == 0 {
		return nil
	}
	var header map[string]string
	if err := json.Unmarshal(r.header, &header); err != nil {
		return nil
	}
	picked := map[string]string{}
	for field, name := range r.gelf.headers {
		if value, ok := header[name]; ok {
			picked[field] = value
		}
	}
	return picked
}
