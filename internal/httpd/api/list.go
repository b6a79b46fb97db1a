package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/httpd/qs"
	"github.com/backstage/functions/internal/outcome"
	"github.com/backstage/functions/sandbox/rawjson"
)

// maxPerPage is how many functions one answer lists.
const maxPerPage = 10_000

func (s *server) listFunctions(w http.ResponseWriter, r *http.Request) error {
	q, err := listQuery(qs.Parse(r.URL.RawQuery))
	if err != nil {
		return err
	}
	asked := q
	if q.PerPage > maxPerPage { // one page that has all, or none
		q.Page, q.PerPage = 1, maxPerPage
	}
	page, err := s.Store.List(r.Context(), q)
	if err != nil {
		return fmt.Errorf("list functions: %w", err)
	}
	if asked.PerPage > maxPerPage && page.Total > maxPerPage {
		return outcome.BadRequest(
			fmt.Sprintf("perPage=%d is more than %d, and there are %d functions: ask for pages of at most %d",
				asked.PerPage, maxPerPage, page.Total, maxPerPage),
		)
	}
	if asked.PerPage > maxPerPage && asked.Page > 1 {
		page.Items = nil
	}
	answer, err := s.rendering.render(r.Context(), listBytes(page), func() []byte { return listAnswer(asked, page) })
	if err != nil {
		return fmt.Errorf("answer a list of functions: %w", err)
	}
	sendSchema(w, r, "functions/list", answer)
	return nil
}

// listQuery reads page, perPage, namespace and id. An ID counts only together with a namespace.
func listQuery(values *qs.Value) (function.Query, error) {
	q := function.Query{Namespace: textOf(values, "namespace")}
	if q.Namespace != "" {
		q.ID = textOf(values, "id")
	}
	var ok bool
	if q.Page, ok = parseInt(textOf(values, "page"), 1); !ok {
		return q, function.ErrInvalidPage
	}
	if q.PerPage, ok = parseInt(textOf(values, "perPage"), 10); !ok {
		return q, function.ErrInvalidPage
	}
	if q.Page < 1 || q.PerPage < 1 {
		return q, function.ErrInvalidPage
	}
	return q, nil
}

// listBytes is about how long an answer with page is.
func listBytes(page *function.Page) (n int) {
	const names = len(`{"namespace":"","id":""},`)
	for _, ref := range page.Items {
		n += names + len(ref.Namespace) + len(ref.ID)
	}
	return n
}

// listAnswer names the pages before and after this one, as long as there are any.
func listAnswer(q function.Query, page *function.Page) []byte {
	items := itemsJSON(page.Items, func(ref function.Ref) []byte {
		item := rawjson.NewObject(nil)
		item.String("namespace", ref.Namespace)
		item.String("id", ref.ID)
		return item.End()
	})
	return pageJSON(items, q, page.Total)
}

// sendPage answers with the page of what all returns that the query asks for. Each item has about so many bytes; name
// is that of the schema's folder, and of what is listed in errors.
func sendPage[T any](
	s *server, w http.ResponseWriter, r *http.Request, name string, bytes int,
	all func(context.Context) ([]T, error), item func(T) []byte,
) error {
	q, err := listQuery(qs.Parse(r.URL.RawQuery))
	if err != nil {
		return err
	}
	start, end, err := q.Bounds()
	if err != nil {
		return err
	}
	found, err := all(r.Context())
	if err != nil {
		return fmt.Errorf("list %s: %w", name, err)
	}
	page := found[min(start, len(found)):min(end, len(found))]
	answer, err := s.rendering.render(r.Context(), len(page)*bytes, func() []byte {
		return pageJSON(itemsJSON(page, item), q, len(found))
	})
	if err != nil {
		return fmt.Errorf("answer a list of %s: %w", name, err)
	}
	sendSchema(w, r, name+"/list", answer)
	return nil
}

// itemsJSON is an array of what item makes of each.
func itemsJSON[T any](all []T, item func(T) []byte) []byte {
	items := []byte{'['}
	for i, one := range all {
		if i > 0 {
			items = append(items, ',')
		}
		items = append(items, item(one)...)
	}
	return append(items, ']')
}

// pageJSON is a page with items of a list of so many.
func pageJSON(items []byte, q function.Query, total int) []byte {
	o := rawjson.NewObject(nil)
	o.Raw("items", items)
	o.Int("page", int64(q.Page))
	o.Int("perPage", int64(q.PerPage))
	if q.Page > 1 {
		o.Int("previousPage", int64(q.Page-1))
	}
	if pages := (total-1)/q.PerPage + 1; total > 0 && q.Page < pages {
		o.Int("nextPage", int64(q.Page+1))
	}
	return o.End()
}

// textOf is the parameter as JavaScript turns it into a string; a missing one is empty.
func textOf(values *qs.Value, name string) string {
	v, ok := values.Get(name)
	if !ok {
		return ""
	}
	return stringOf(v)
}

func stringOf(v *qs.Value) string {
	switch v.Kind() {
	case qs.List:
		texts := make([]string, len(v.List()))
		for i, item := range v.List() {
			texts[i] = stringOf(item)
		}
		return strings.Join(texts, ",")
	case qs.Object:
		return "[object Object]"
	case qs.True:
		return "true"
	default:
		return v.Text()
	}
}

// parseInt reads a number as JavaScript's parseInt with radix 10 does: white space and a sign may precede the digits,
// anything may follow them. Empty text is the fallback. Numbers that do not fit are the nearest that does. It is not ok
// when there are no digits.
func parseInt(text string, fallback int) (n int, ok bool) {
	if text == "" {
		return fallback, true
	}
	text = strings.TrimLeftFunc(text, func(c rune) bool { return unicode.IsSpace(c) || c == '\ufeff' })
	digits := strings.TrimLeft(text, "+-")
	if len(text)-len(digits) > 1 {
		return 0, false
	}
	end := strings.IndexFunc(digits, func(c rune) bool { return c < '0' || c > '9' })
	if end < 0 {
		end = len(digits)
	}
	if end == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(digits[:end])
	if err != nil {
		n = math.MaxInt
	}
	if text[0] == '-' {
		n = -n
	}
	return n, true
}
