package sentry

import (
	"encoding/json"
	"os"
	"path"
	"time"

	sdk "github.com/getsentry/sentry-go"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox/rawjson"
)

// Limits on the parts of an event, in bytes, so that many may wait and Sentry takes each.
const (
	maxBody      = 64 << 10
	maxCrumbBody = 4 << 10
	maxText      = 8 << 10
	maxCrumbs    = 50
)

// plain is the SDK's event without its methods, which would hide what event adds.
type plain sdk.Event

// event is an event of Sentry's protocol with two attributes that the SDK no longer has a place for.
type event struct {
	*plain
	Culprit string                     `json:"culprit"`
	Extra   map[string]json.RawMessage `json:"extra"`
}

// serverName is the machine's.
var serverName, _ = os.Hostname() // empty when it is not known

func newEvent(f *invoke.Failure, modules map[string]string) *event {
	file := f.Call.Ref.Filename()
	frames := framesOf(f)
	return &event{
		plain: &plain{
			Message:     cut(file+": "+f.Text, maxText),
			Level:       sdk.LevelError,
			Platform:    "node",
			ServerName:  serverName,
			Sdk:         sdk.SdkInfo{Name: sdkName, Version: sdk.SDKVersion},
			Timestamp:   time.Now().UTC().Truncate(time.Second),
			Tags:        map[string]string{"codeHash": f.Function.Hash},
			Modules:     modules,
			Breadcrumbs: breadcrumbs(f.Earlier),
			Exception:   []sdk.Exception{exceptionOf(f.Text, frames)},
		},
		Culprit: culprit(f.Call.Ref, frames),
		Extra:   extra(f),
	}
}

// culprit names the place of the error: "ns/id.js: id at fn", or the file alone when no frame lies in it.
func culprit(ref function.Ref, frames []sdk.Frame) string {
	file := ref.Filename()
	if len(frames) == 0 {
		return file
	}
	name := frames[len(frames)-1].Function
	if name == "" {
		name = "?"
	}
	return file + ": " + path.Base(ref.ID) + " at " + name
}

// extra is the body that the function got, the fields that went to its log, and the invocation ID.
func extra(f *invoke.Failure) map[string]json.RawMessage {
	values := map[string]json.RawMessage{"requestId": text(f.Call.ID)}
	for name, value := range f.Fields {
		values[name] = value
	}
	switch body := f.Call.Request.Body; {
	case len(body) > maxBody:
		values["body"] = text(cut(string(body[:maxBody+1]), maxBody) + "…")
	case len(body) > 0:
		values["body"] = body
	}
	return values
}

// breadcrumbs are the last steps of a pipeline before the one that failed.
func breadcrumbs(steps []invoke.Step) []*sdk.Breadcrumb {
	steps = steps[max(0, len(steps)-maxCrumbs):]
	crumbs := make([]*sdk.Breadcrumb, len(steps))
	for i, step := range steps {
		crumbs[i] = &sdk.Breadcrumb{
			Category:  "step",
			Message:   step.Ref.Filename(),
			Level:     levelOf(step.Status),
			Timestamp: step.Time.UTC(),
			Data:      map[string]any{"status": step.Status, "body": cut(string(step.Body), maxCrumbBody)},
		}
	}
	return crumbs
}

func levelOf(status int) sdk.Level {
	switch {
	case status >= 500:
		return sdk.LevelError
	case status >= 400:
		return sdk.LevelWarning
	}
	return sdk.LevelInfo
}

func text(s string) json.RawMessage { return rawjson.AppendString(nil, s) }
