package identity

import "testing"

func TestTokensAreMasked(t *testing.T) {
	_, token := New(Key{})
	_, other := New(Key{})
	for text, want := range map[string]string{
		"":                             "",
		"fn_":                          "fn_",
		"/fn_cart?fn_x":                "/fn_cart?fn_x",
		token:                          Masked,
		"/a?key=" + token + "&x":       "/a?key=" + Masked + "&x",
		"fn_" + token + other:          "fn_" + Masked + Masked,
		token[:len(token)-1]:           token[:len(token)-1],
		"x" + token[:9] + token + "fn": "x" + token[:9] + Masked + "fn",
	} {
		if got := Mask(text); got != want {
			t.Errorf("%q is masked as %q, want %q", text, got, want)
		}
	}
}
