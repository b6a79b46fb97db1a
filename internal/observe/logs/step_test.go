package logs

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

func TestStepOfAPipelineHasALine(t *testing.T) {
	call := invoke.Call{
		ID: "call-7", Ref: function.Ref{Namespace: "shop", ID: "price"}, Request: sandbox.Request{Method: "PUT"},
		URI: "/functions/pipeline?" + strings.Repeat("x", 70_000),
	}
	attrs := func(context.Context) []slog.Attr { return []slog.Attr{slog.String("requestId", "call-7")} }
	var text, json bytes.Buffer
	Step(t.Context(), NewApp(AppOptions{Out: &text, Context: attrs}), call, 404, 12*time.Millisecond)
	Step(t.Context(), NewApp(AppOptions{Out: &json, Context: attrs, JSON: true}), call, 404, 12*time.Millisecond)
	uri := call.URI[:maxText] + "…[67972 bytes cut]"
	want := "info: Step of a pipeline method=PUT request_uri=" + uri +
		" status=404 request_id=call-7 request_time=0.012 namespace=shop function_id=price\n"
	if got := strings.ReplaceAll(text.String(), `"`, ""); got != want {
		t.Errorf("wrote %q", got)
	}
	for _, member := range []string{
		`"level":"info"`, `"method":"PUT"`, `"status":404`, `"request_time":0.012`, `"namespace":"shop"`, `"function_id":"price"`, `"requestId":"call-7"`,
	} {
		if !strings.Contains(json.String(), member) {
			t.Errorf("no %s in %s", member, &json)
		}
	}
	if strings.Count(json.String(), `"request_id":"call-7"`) != 1 {
		t.Errorf("wrote %s", &json)
	}
}
