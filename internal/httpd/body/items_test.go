package body

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

// itemsIn are the texts of all items of a body, and its errors, in order.
func itemsIn(t *testing.T, r *http.Request, o Options) (all []string) {
	t.Helper()
	items, err := ItemsOf(r, o)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		item, err := items.Next()
		switch {
		case errors.Is(err, io.EOF):
			return append(all, "end")
		case err != nil:
			all = append(all, err.Error())
		default:
			all = append(all, string(item.Text))
		}
		if items.Over() {
			return append(all, "over")
		}
	}
	t.Fatal("the body has no end")
	return nil
}

func itemsRequest(contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

func TestItemsAreReadOneByOne(t *testing.T) {
	const lines, array = "application/x-ndjson", "application/json"
	long := strings.Repeat("x", 5000)
	for _, row := range []struct{ name, contentType, body, want string }{
		{"lines", lines, "1\n{\"a\": [2]}\nnull", `1|{"a": [2]}|null|end`},
		{"ends of lines", lines, "\n1\r\n\r\n  2 \n\t\n", "1|2|end"},
		{"a mark of the byte order", lines, "\xef\xbb\xbf1\n2", "1|2|end"},
		{"long lines", lines, `"` + long + "\"\n1", `"` + long + `"|1|end`},
		{
			"a line that is too long", lines, `"` + long + long + "\"\n1",
			"An input has more than 6000 bytes: the limit is BODY_PARSER_LIMIT|1|end",
		},
		{
			"the last line is too long", lines, "1\n" + long + long,
			"1|An input has more than 6000 bytes: the limit is BODY_PARSER_LIMIT|end",
		},
		{"two values in a line", lines, "1 2\n3", "Unexpected number in JSON at position 2|3|end"},
		{"no UTF-8", lines, "\"\xff\"\n1", "an input is not UTF-8|1|end"},
		{
			"too deep", lines, "[[[1]]]\n[1]",
			"JSON is nested deeper than 2 levels at position 2: the limit is BODY_PARSER_DEPTH|[1]|end",
		},
		{"nothing", lines, "", "end"},
		{"an array", array, ` [1, {"a":"]"} ,"é",[]]` + "\n", `1|{"a":"]"}|"é"|[]|end`},
		{"an array of arrays", array, "[[1],[2]]", "[1]|[2]|end"},
		{"an empty array", array, "[]", "end"},
		{
			"an element is too deep", array, "[[[[1]]],2]",
			"JSON is nested deeper than 2 levels at position 2: the limit is BODY_PARSER_DEPTH|2|end",
		},
		{
			"an element is too long", array, `["` + long + long + `",2]`,
			"An input has more than 6000 bytes: the limit is BODY_PARSER_LIMIT|over",
		},
		{"no array", array, "1", notAnArray + "|over"},
		{"nothing for an array", array, "", "the array of inputs has no end|over"},
		{"an array without an end", array, "[1,2", "1|2|the array of inputs has no end|over"},
		{"a wrong end", array, "[1}", "1|" + notAnArray + "|over"},
		{"something behind the array", array, "[1]]", "1|" + notAnArray + "|over"},
	} {
		got := strings.Join(itemsIn(t, itemsRequest(row.contentType, row.body), Options{Limit: 6000, Depth: 2}), "|")
		if got != row.want {
			t.Errorf("%s: got %.300s, want %.300s", row.name, got, row.want)
		}
	}
}

func TestItemsComeAsTheyAreSent(t *testing.T) {
	for _, contentType := range []string{"application/x-ndjson", "application/json"} {
		from, to := io.Pipe()
		r := itemsRequest(contentType, "x")
		r.Body = from
		items, err := ItemsOf(r, Options{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"[1\n,", "2\n", ",3\n", "]"} {
			if contentType != "application/json" {
				text = strings.Trim(text, "[],\n") + "\n"
			}
			wrote := make(chan error, 1)
			go func() {
				_, err := io.WriteString(to, text)
				wrote <- err
			}()
			if text == "]" || text == "\n" {
				go func() { wrote <- errors.Join(<-wrote, to.Close()) }()
				if _, err := items.Next(); !errors.Is(err, io.EOF) {
					t.Errorf("%s: %v behind the last item", contentType, err)
				}
				continue
			}
			item, err := items.Next()
			if err != nil || string(item.Text) != strings.Trim(text, "[],\n") {
				t.Errorf("%s: got %s, %v of %q", contentType, item.Text, err, text)
			}
			if err := <-wrote; err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestItemsAskForMemory(t *testing.T) {
	long := `"` + strings.Repeat("x", 50_000) + `"`
	for contentType, body := range map[string]string{
		"application/x-ndjson": "1\n" + long + "\n2", "application/json": "[1," + long + ",2]",
	} {
		granted := 0
		o := Options{Limit: 1 << 20, Grow: func(n int) bool { granted += n; return true }}
		if got := itemsIn(t, itemsRequest(contentType, body), o); len(got) < 3 || got[1] != long || granted < 50_000 {
			t.Errorf("%s: %d items, granted %d", contentType, len(got), granted)
		}
		o.Grow = func(int) bool { return false }
		got := itemsIn(t, itemsRequest(contentType, body), o)
		if got[0] != "1" && contentType != "application/json" ||
			!strings.Contains(strings.Join(got, "|"), ErrNoRoom.Error()) {
			t.Errorf("%s: without memory %.200q", contentType, got)
		}
	}
}

func TestItemsOfABrokenConnection(t *testing.T) {
	for contentType, body := range map[string]string{"application/x-ndjson": "1\n2", "application/json": "[1,2"} {
		r := itemsRequest(contentType, "x")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(body), iotest.ErrReader(errors.New("gone"))))
		got := strings.Join(itemsIn(t, r, Options{Limit: 100}), "|")
		if got != "1|request aborted|over" {
			t.Errorf("%s: %s", contentType, got)
		}
	}
}

func FuzzItems(f *testing.F) {
	f.Add("1\n{}\n\n[", true)
	f.Add("[1,{\"a\":2},[]]", false)
	f.Fuzz(func(t *testing.T, body string, lines bool) {
		contentType := "application/json"
		if lines {
			contentType = "application/x-ndjson"
		}
		items, err := ItemsOf(itemsRequest(contentType, body), Options{Limit: 64, Depth: 4})
		if err != nil {
			t.Fatal(err)
		}
		for range len(body) + 2 {
			item, err := items.Next()
			if err == nil && (len(item.Text) == 0 || len(item.Text) > 66) {
				t.Errorf("an item of %d bytes", len(item.Text))
			}
			if items.Over() {
				return
			}
		}
		t.Error("the body has no end")
	})
}
