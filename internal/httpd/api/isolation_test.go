package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/sandbox"
)

func TestIsolationIsShownLayerByLayer(t *testing.T) {
	want := sandbox.Report{Isolation: sandbox.IsolationStrict, Layers: []sandbox.Layer{{Name: "net namespace", Asked: true, Obtained: true}}}
	handler := api.New(api.Options{Isolation: func() any { return want }}).API
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/status/isolation", nil))
	var got sandbox.Report
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
	}
	if len(got.Layers) != 1 || got.Layers[0] != want.Layers[0] || got.Isolation != want.Isolation {
		t.Errorf("got %+v", got)
	}
}
