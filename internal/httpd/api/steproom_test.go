package api

import (
	"net/http"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/invoke"
	"github.com/backstage/functions/sandbox"
)

func TestPipelineWithoutRoomForABodyIsRefused(t *testing.T) {
	used := 0
	o := Options{
		Grow:   func(_ *http.Request, bytes int) bool { used += bytes; return bytes < 8000 },
		Shrink: func(_ *http.Request, bytes int) { used -= bytes },
		Invoker: &fakeInvoker{pipeline: func(_ []function.Ref, call invoke.Call) (*sandbox.Result, error) {
			if !call.Memory.Grow(7000) {
				t.Error("there was room")
			}
			call.Memory.Shrink(7000)
			if call.Memory.Grow(9000) || used != 9000 {
				t.Errorf("there was room, %d bytes are used", used)
			}
			return nil, invoke.ErrNoMemory
		}},
	}
	res, body := do(t, newRequest(t, "PUT", serve(t, o)+"/functions/pipeline?steps[]=n/f", ""))
	expect(t, res, body, http.StatusServiceUnavailable, `{"error":"No memory for more requests","reason":"body_memory","details":{}}`)
	if res.Header.Get("Retry-After") == "" {
		t.Errorf("headers %v", res.Header)
	}
}
