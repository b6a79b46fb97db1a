package invoke

import (
	"encoding/json"

	"github.com/backstage/functions/internal/function"
)

// webHandler is what the trial run of a web handler answers with, unless it has more to tell: see docs/protocol.md.
const webHandler = "handler"

// trial is what the trial run of a module answers with.
type trial struct {
	// Handler says that the module exports a web handler, Lowered is its code in the form that was compiled.
	Handler bool   `json:"handler"`
	Lowered string `json:"lowered"`
}

// What comes of lowering is a little longer than the code. A worker that tells of more is not believed.
const (
	maxLoweredFactor = 2
	maxLoweredMore   = 64 << 10
)

// learn keeps in f what its trial run has shown.
func learn(f *function.Function, body json.RawMessage) {
	var text string
	if len(body) == 0 || json.Unmarshal(body, &text) != nil {
		return
	}
	var found trial
	if found.Handler = text == webHandler; !found.Handler && json.Unmarshal([]byte(text), &found) != nil {
		return
	}
	if found.Handler && f.Options.Body == nil {
		raw := function.BodyRaw
		f.Options.Body = &raw
	}
	if found.Lowered != "" && f.Artefact == nil && len(found.Lowered) <= maxLoweredFactor*len(f.Code)+maxLoweredMore {
		f.Artefact = (&function.Artefact{Code: found.Lowered, Lowered: true}).Seal()
	}
}
