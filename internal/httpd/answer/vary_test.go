package answer

import (
	"net/http"
	"slices"
	"testing"
)

func TestVaryNamesEachHeaderOnce(t *testing.T) {
	for name, row := range map[string]struct{ before, want []string }{
		"none":         {nil, []string{"Origin"}},
		"another":      {[]string{"Accept, X-Origin"}, []string{"Accept, X-Origin", "Origin"}},
		"there":        {[]string{"Accept", "a,\torigin ,b"}, []string{"Accept", "a,\torigin ,b"}},
		"all":          {[]string{"Accept, *"}, []string{"Accept, *"}},
		"part of name": {[]string{"Origin X"}, []string{"Origin X", "Origin"}},
	} {
		h := http.Header{"Vary": row.before}
		AddVary(h, "Origin")
		if got := h["Vary"]; !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}
