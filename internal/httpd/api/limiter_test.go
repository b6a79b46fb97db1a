package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/backstage/functions/internal/cpulimit"
	"github.com/backstage/functions/internal/function"
)

// Large answers are made a few at a time, so that they leave processors to calls. Small ones do not wait for them.
func TestLargeAnswersAreMadeAFewAtATime(t *testing.T) {
	large := strings.Repeat("x", largeAnswer)
	deployed := func(code string) string { return fmt.Sprintf(`{"code":%q}`, code) }
	for name, row := range map[string]struct{ method, path, body, small, smallBody string }{
		"get":      {"GET", "/functions/ns/large", "", "/functions/ns/small", ""},
		"variable": {"GET", "/functions/ns/env", "", "/functions/ns/small", ""},
		"put":      {"PUT", "/functions/ns/new", deployed(large), "/functions/ns/other", deployed("1")},
		"list":     {"GET", "/functions?perPage=5000", "", "/functions?perPage=5", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newFakeStore()
				env := function.NewEnv(function.Var{Name: "A", Value: large})
				for id, f := range map[string]function.Function{
					"large": {Code: large}, "small": {Code: "1"}, "env": {Code: "1", Env: env},
				} {
					f.Ref = function.Ref{Namespace: "ns", ID: id}
					store.functions[f.Ref] = &f
				}
				for i := range 3000 {
					ref := function.Ref{Namespace: "many", ID: fmt.Sprint(i)}
					store.functions[ref] = &function.Function{Ref: ref, Code: "1"}
				}
				s := newServer(Options{Store: store, Invoker: &fakeInvoker{}}.withDefaults())
				s.rendering = limiter(cpulimit.New(3))
				handler := s.around(s.router(apiPort))
				answered := make(chan *httptest.ResponseRecorder, 2)
				ask := func(ctx context.Context, path, body string) {
					w := httptest.NewRecorder()
					r := newRequest(t, row.method, path, body)
					r.Header.Set("Content-Type", "application/json")
					handler.ServeHTTP(w, r.WithContext(ctx))
					answered <- w
				}
				s.rendering <- struct{}{} // somebody else's is made
				go ask(t.Context(), row.path, row.body)
				synctest.Wait()
				if len(answered) > 0 {
					t.Fatal("a large answer did not wait")
				}
				ask(t.Context(), row.small, row.smallBody)
				if w := <-answered; w.Code != 200 || w.Body.Len() == 0 || w.Body.Len() >= largeAnswer {
					t.Errorf("a small one: %d with %d bytes", w.Code, w.Body.Len())
				}
				if row.method == "GET" {
					gone, leave := context.WithCancel(t.Context())
					leave()
					ask(gone, row.path, row.body)
					<-answered // did not wait for its token
				}
				<-s.rendering
				if w := <-answered; w.Code != 200 || w.Body.Len() < largeAnswer {
					t.Errorf("answered %d with %d bytes", w.Code, w.Body.Len())
				}
				if len(s.rendering) > 0 {
					t.Error("a token was not given back")
				}
			})
		})
	}
}
