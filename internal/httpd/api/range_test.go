package api

import (
	"net/http"
	"testing"

	"github.com/backstage/functions/sandbox"
)

func TestPartsOfBytesAreHadWhereTheFunctionSaysSo(t *testing.T) {
	for name, row := range map[string]struct {
		method string
		fields []string // of the answer of the function, besides Accept-Ranges
		header []string // of the request
		status int
		body   string
		ranged string // Content-Range
	}{
		"the beginning": {"GET", nil, []string{"Range", "bytes=0-3"}, 206, "0123", "bytes 0-3/10"},
		"the middle":    {"GET", nil, []string{"Range", "Bytes = 4-4"}, 206, "4", "bytes 4-4/10"},
		"the rest":      {"GET", nil, []string{"Range", "bytes=7-"}, 206, "789", "bytes 7-9/10"},
		"the end":       {"GET", nil, []string{"Range", "bytes=-2"}, 206, "89", "bytes 8-9/10"},
		"more than all": {"GET", nil, []string{"Range", "bytes=5-99"}, 206, "56789", "bytes 5-9/10"},
		"a longer end":  {"GET", nil, []string{"Range", "bytes=-99"}, 206, "0123456789", "bytes 0-9/10"},
		"digits in mass": {
			"GET", nil,
			[]string{"Range", "bytes=0-99999999999999999999"},
			206, "0123456789", "bytes 0-9/10",
		},
		"beyond": {
			"GET", nil,
			[]string{"Range", "bytes=10-"},
			416, `{"error":"Range Not Satisfiable"}`, "bytes */10",
		},
		"the last none": {
			"GET", nil,
			[]string{"Range", "bytes=-0"},
			416, `{"error":"Range Not Satisfiable"}`, "bytes */10",
		},
		"several": {"GET", nil, []string{"Range", "bytes=0-1,3-4"}, 200, "0123456789", ""},
		"several headers": {
			"GET", nil,
			[]string{"Range", "bytes=0-1", "Range", "bytes=3-4"},
			200, "0123456789", "",
		},
		"backwards":    {"GET", nil, []string{"Range", "bytes=4-1"}, 200, "0123456789", ""},
		"another unit": {"GET", nil, []string{"Range", "lines=0-1"}, 200, "0123456789", ""},
		"no range":     {"GET", nil, []string{"Range", "bytes=+1-2"}, 200, "0123456789", ""},
		"POST":         {"POST", nil, []string{"Range", "bytes=0-1"}, 200, "0123456789", ""},
		"HEAD":         {"HEAD", nil, []string{"Range", "bytes=0-1"}, 200, "", ""},
		"not offered": {
			"GET",
			[]string{"Accept-Ranges", "none"},
			[]string{"Range", "bytes=0-1"},
			200, "0123456789", "",
		},
		"the same tag": {
			"GET",
			[]string{"ETag", `"a"`},
			[]string{"Range", "bytes=0-1", "If-Range", `"a"`},
			206, "01", "bytes 0-1/10",
		},
		"another tag": {
			"GET",
			[]string{"ETag", `"a"`},
			[]string{"Range", "bytes=0-1", "If-Range", `"b"`},
			200, "0123456789", "",
		},
		"a weak tag": {
			"GET",
			[]string{"ETag", `W/"a"`},
			[]string{"Range", "bytes=0-1", "If-Range", `W/"a"`},
			200, "0123456789", "",
		},
		"an old date": {
			"GET", nil,
			[]string{"Range", "bytes=0-1", "If-Range", "Sun, 06 Nov 1994 08:49:37 GMT"},
			200, "0123456789", "",
		},
		"known": {
			"GET",
			[]string{"ETag", `"a"`},
			[]string{"Range", "bytes=0-1", "If-None-Match", `"a"`},
			304, "", "",
		},
		"another condition": {
			"GET",
			[]string{"ETag", `"a"`},
			[]string{"Range", "bytes=0-1", "If-None-Match", `"b"`},
			206, "01", "bytes 0-1/10",
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := &sandbox.Result{
				Status: 200, Header: fields(append([]string{"Accept-Ranges", "bytes"}, row.fields...)...),
				Bytes: []byte("0123456789"),
			}
			res, body := ran(t, result, row.method, row.header...)
			expect(t, res, body, row.status, row.body)
			if got := res.Header.Get("Content-Range"); got != row.ranged {
				t.Errorf("Content-Range is %q, want %q", got, row.ranged)
			}
		})
	}
}

func TestAPartThatIsNotThereSaysNothingOfTheBody(t *testing.T) {
	result := &sandbox.Result{Status: 200, Header: fields("Accept-Ranges", "bytes", "ETag", `"a"`,
		"Content-Encoding", "br", "Cache-Control", "max-age=60", "Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT",
		"Expires", "Sun, 06 Nov 2044 08:49:37 GMT", "Content-Language", "en", "X-Own", "kept"), Bytes: []byte("0123456789")}
	res, body := ran(t, result, http.MethodGet, "Range", "bytes=10-")
	expect(t, res, body, 416, `{"error":"Range Not Satisfiable"}`)
	for _, name := range []string{"Content-Encoding", "Cache-Control", "Last-Modified", "Expires", "Content-Language"} {
		if got := res.Header.Values(name); len(got) > 0 {
			t.Errorf("%s is %q", name, got)
		}
	}
	if res.Header.Get("X-Own") != "kept" || res.Header.Get("ETag") == `"a"` {
		t.Errorf("headers %v", res.Header)
	}
}

func TestPartsHaveTheTagOfTheWhole(t *testing.T) {
	whole := &sandbox.Result{Status: 200, Header: fields("Accept-Ranges", "bytes"), Bytes: []byte("0123456789")}
	res, _ := ran(t, whole, http.MethodGet, "Range", "bytes=0-3")
	if got := res.Header.Get("Etag"); got != weakTag(whole.Bytes) {
		t.Errorf("it has %s", got)
	}
	for name, result := range map[string]*sandbox.Result{
		"a part of its own": {Status: 206, Header: fields("Content-Range", "bytes 2-3/10"), Bytes: []byte("23")},
		"nothing to divide": {Status: 200, Header: fields("Accept-Ranges", "bytes"), Bytes: []byte{}},
		"an answer in JSON": {Status: 200, Header: fields("Accept-Ranges", "bytes"), Body: []byte(`{"a":1}`)},
		"another status":    {Status: 201, Header: fields("Accept-Ranges", "bytes"), Bytes: []byte("23")},
	} {
		res, body := ran(t, result, http.MethodGet, "Range", "bytes=0-0")
		if want := string(result.Bytes) + string(result.Body); res.StatusCode != result.Status || body != want {
			t.Errorf("%s: %d %q", name, res.StatusCode, body)
		}
	}
}

func FuzzRange(f *testing.F) {
	f.Add("bytes=0-3", 10)
	f.Add("bytes=-2", 1)
	f.Fuzz(func(t *testing.T, text string, length int) {
		length = max(1, min(length, 1<<30))
		if p, ok := parseRange(text, length); ok && (p.first < 0 || p.end > length || p.first > p.end && p.first < length) {
			t.Errorf("%q of %d: %+v", text, length, p)
		}
	})
}
