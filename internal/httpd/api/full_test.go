package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestAFullStoreSaysSo(t *testing.T) {
	store := newFakeStore()
	url := serve(t, Options{Store: store, StoreFault: func() error { return function.ErrFull }})
	res, body := do(t, newRequest(t, "GET", url+"/status", ""))
	if res.StatusCode != 500 || !strings.Contains(body, `"status":"FAILED","message":"Error: Storage is full"`) {
		t.Errorf("/status: %d %s", res.StatusCode, body)
	}
	store.err = fmt.Errorf("x: %w: %w: no space left on device", function.ErrFull, function.ErrUnavailable)
	res, body = do(t, newRequest(t, "PUT", url+"/functions/n/f", `{"code":"1"}`, "Content-Type", "application/json"))
	expect(t, res, body, 503, `{"error":"Storage is full"}`)
	if res.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
