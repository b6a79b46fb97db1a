package api

import (
	"fmt"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

func TestLimitsOfRecordsAreAnswered(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		answer string
	}{
		{
			&function.EnvLimitError{}, 400,
			`{"error":"The function would have more than 1024 environment variables: delete some first"}`,
		},
		{
			&function.EnvLimitError{Bytes: 7}, 413,
			`{"error":"The function's environment variables would be longer than 7 bytes together: delete or shorten some first"}`,
		},
		{
			function.ErrRecordTooLarge, 500,
			`{"error":"The stored function is too large to be read: put it again with its env, or delete it"}`,
		},
		{
			function.ErrDamaged, 500,
			`{"error":"The stored function is damaged: its code does not match its hash. Put its code again, restore a backup, or delete it"}`,
		},
	} {
		store := newFakeStore()
		store.err = fmt.Errorf("store: %w", test.err)
		res, body := do(t, newRequest(t, "PUT", serve(t, Options{Store: store})+"/functions/n/f/env/A", `"v"`, "Content-Type", "application/json"))
		if res.StatusCode != test.status || body != test.answer {
			t.Errorf("%v: %d %s", test.err, res.StatusCode, body)
		}
	}
}

func TestADSNIsBounded(t *testing.T) {
	url := serve(t, Options{}) + "/namespaces/n"
	for length, want := range map[int]int{4096: 200, 4097: 400} {
		text := `{"sentryDSN":"` + strings.Repeat("x", length) + `"}`
		res, body := do(t, newRequest(t, "PUT", url, text, "Content-Type", "application/json"))
		if res.StatusCode != want {
			t.Errorf("%d bytes: %d %.100s", length, res.StatusCode, body)
		}
	}
}

func TestHEADMakesNoAnswerThatNobodyGets(t *testing.T) {
	const size = 1 << 20
	store, ref := newFakeStore(), function.Ref{Namespace: "n", ID: "f"}
	store.functions[ref] = &function.Function{Ref: ref, Code: strings.Repeat("\x01", size), Hash: "h"}
	handler := New(Options{Store: store, Invoker: &fakeInvoker{}}).API
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("HEAD", "/functions/n/f", nil))
	runtime.ReadMemStats(&after)
	if w.Code != 200 || w.Header()[headerETag][0] != "h" || w.Body.Len() > 0 {
		t.Errorf("got %d %v, %d bytes", w.Code, w.Header(), w.Body.Len())
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > size {
		t.Errorf("%d bytes were taken", used)
	}
}
