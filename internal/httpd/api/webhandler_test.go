package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// handlerInvoker finds a web handler in every code, as invoke.Invoker tells of it.
type handlerInvoker struct{ fakeInvoker }

func (*handlerInvoker) Check(_ context.Context, f *function.Function) error {
	if f.Options.Body == nil {
		raw := function.BodyRaw
		f.Options.Body = &raw
	}
	return nil
}

func TestAWebHandlerIsStoredWithTheBodyThatItNeeds(t *testing.T) {
	store := newFakeStore()
	url := serve(t, Options{Store: store, Invoker: &handlerInvoker{}})
	for _, row := range []struct{ path, options, want string }{
		{"/functions/a/asks", ``, "raw"},
		{"/functions/a/says", `,"body":"json"`, "json"},
		{"/functions/a/says", `,"body":"auto"`, "auto"},
		{"/functions/a/says", ``, "raw"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+row.path,
			strings.NewReader(`{"code":"1"`+row.options+`}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		id := strings.TrimPrefix(row.path, "/functions/a/")
		stored, err := store.Get(t.Context(), function.Ref{Namespace: "a", ID: id})
		if err != nil || stored.Options.Body == nil || *stored.Options.Body != row.want {
			t.Errorf("%s%s: %d, stored %+v, %v, want body %s", row.path, row.options, answer.StatusCode, stored, err, row.want)
		}
	}
}
