package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestAnOperatorFreesAnIdempotencyKey frees keys of a caller, with every store: the next request with one runs, and
// there is room for another key.
func TestAnOperatorFreesAnIdempotencyKey(t *testing.T) {
	for store, vars := range idempotencyStores(t) {
		t.Run(store, func(t *testing.T) {
			s, admin := adminOf(t, append(vars, "CALLS_MAX=1")...)
			if res, text := s.request(t, "PUT", "/functions/pay/f", deployment(
				`function main(req, res) { res.send({ n: Math.random() }) }`, `"idempotency":"sync"`),
				"Authorization", "Bearer "+admin); res.StatusCode != 200 {
				t.Fatalf("PUT: %d %s", res.StatusCode, text)
			}
			id, caller := newKey(t, admin, s.url, `{"role":"invoke","namespaces":["pay"]}`)
			_, operator := newKey(t, admin, s.url, `{"role":"deploy","namespaces":["pay"]}`)
			_, elsewhere := newKey(t, admin, s.url, `{"role":"deploy","namespaces":["other"]}`)
			ask := func(method, path, by, key string, want int) string {
				t.Helper()
				header := []string{"Authorization", "Bearer " + by}
				if key != "" {
					header = append(header, "Idempotency-Key", key)
				}
				res, text := s.request(t, method, "/functions/pay/f/"+path, "{}", header...)
				if res.StatusCode != want {
					t.Errorf("%s %s: answered %d %s, want %d", method, path, res.StatusCode, text, want)
				}
				return text
			}
			first := ask("PUT", "run", caller, "k", 200)
			if again := ask("PUT", "run", caller, "k", 200); again != first {
				t.Errorf("answered %s, then %s", first, again)
			}
			ask("PUT", "run", caller, "another", http.StatusTooManyRequests)
			const at = "idempotency-key"
			ask("DELETE", at, caller, "k", http.StatusForbidden)
			ask("DELETE", at+"?caller="+id, elsewhere, "k", http.StatusForbidden)
			ask("DELETE", at, operator, "k", http.StatusNotFound) // has none of its own
			ask("DELETE", at+"?caller="+id, operator, "none", http.StatusNotFound)
			ask("DELETE", at+"?caller="+id, operator, "", http.StatusBadRequest)
			ask("DELETE", at+"?caller="+id, operator, strings.Repeat("k", 256), http.StatusBadRequest)
			ask("DELETE", at+"?caller="+id, operator, `"k"`, http.StatusNoContent)
			ask("DELETE", at+"?caller="+id, operator, "k", http.StatusNotFound)
			ask("PUT", "run", caller, "another", 200)
			ask("DELETE", at+"?caller="+id, operator, "another", http.StatusNoContent)
			if again := ask("PUT", "run", caller, "k", 200); again == first {
				t.Errorf("the call has not run again: %s", again)
			}
		})
	}
}

// TestAnOperatorFreesAKeyOfCallersWithoutOne frees an idempotency key of somebody who has called a public function
// without a key of the server, as all such callers are one.
func TestAnOperatorFreesAKeyOfCallersWithoutOne(t *testing.T) {
	s, admin := adminOf(t, "STORAGE=inmemory")
	if res, text := s.request(t, "PUT", "/functions/pay/f", deployment(
		`function main(req, res) { res.send({ n: Math.random() }) }`, `"idempotency":"sync","access":"public"`),
		"Authorization", "Bearer "+admin); res.StatusCode != 200 {
		t.Fatalf("PUT: %d %s", res.StatusCode, text)
	}
	run := func() string {
		t.Helper()
		res, text := s.request(t, "PUT", "/functions/pay/f/run", "{}", "Idempotency-Key", "k")
		if res.StatusCode != 200 {
			t.Fatalf("run: %d %s", res.StatusCode, text)
		}
		return text
	}
	first := run()
	for query, want := range map[string]int{
		"": http.StatusNotFound, "?caller=none": http.StatusNotFound, "?caller[]=": http.StatusBadRequest,
		"?caller=a&caller=b": http.StatusBadRequest,
	} {
		const at = "/functions/pay/f/idempotency-key"
		res, text := s.request(t, "DELETE", at+query, "", "Authorization", "Bearer "+admin, "Idempotency-Key", "k")
		if res.StatusCode != want {
			t.Errorf("%s: answered %d %s, want %d", query, res.StatusCode, text, want)
		}
	}
	if again := run(); again != first {
		t.Errorf("answered %s, then %s", first, again)
	}
	const at = "/functions/pay/f/idempotency-key?caller="
	if res, text := s.request(t, "DELETE", at, "", "Authorization", "Bearer "+admin, "Idempotency-Key", "k"); res.StatusCode != 204 {
		t.Errorf("freed: %d %s", res.StatusCode, text)
	}
	if again := run(); again == first {
		t.Errorf("the call has not run again: %s", again)
	}
}
