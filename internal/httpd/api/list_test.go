package api

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// countingStore has so many functions and remembers how many were asked for at a time.
type countingStore struct {
	*fakeStore
	total, most int
}

func (s *countingStore) List(_ context.Context, q function.Query) (*function.Page, error) {
	s.most = max(s.most, q.PerPage)
	start, end, err := q.Bounds()
	if err != nil {
		return nil, err
	}
	page := &function.Page{Total: s.total}
	for i := min(start, s.total); i < min(end, s.total); i++ {
		page.Items = append(page.Items, function.Ref{Namespace: "n", ID: fmt.Sprint(i)})
	}
	return page, nil
}

func TestPagesAreBounded(t *testing.T) {
	const tooMany = `{"error":"perPage=10001 is more than 10000, and there are 10001 functions: ask for pages of at most 10000"}`
	for _, test := range []struct {
		total  int
		query  string
		status int
		body   string
	}{
		{2, "perPage=999999999999", 200, `{"items":[{"namespace":"n","id":"0"},{"namespace":"n","id":"1"}],"page":1,"perPage":999999999999}`},
		{2, "perPage=10001&page=2", 200, `{"items":[],"page":2,"perPage":10001,"previousPage":1}`},
		{10_001, "perPage=10001", 400, tooMany},
		{10_001, "perPage=10001&page=2", 400, tooMany},
		{10_001, "perPage=10000&page=2", 200, `{"items":[{"namespace":"n","id":"10000"}],"page":2,"perPage":10000,"previousPage":1}`},
	} {
		store := &countingStore{newFakeStore(), test.total, 0}
		res, body := do(t, newRequest(t, http.MethodGet, serve(t, Options{Store: store})+"/functions?"+test.query, ""))
		if res.StatusCode != test.status || body != test.body || store.most > 10_000 {
			t.Errorf("%s of %d: %d %.300s, asked for %d", test.query, test.total, res.StatusCode, body, store.most)
		}
	}
}
