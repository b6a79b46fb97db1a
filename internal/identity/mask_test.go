package identity

import (
	"strings"
	"testing"
)

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

func TestTokensThatAreEncodedAreMasked(t *testing.T) {
	_, token := New(Key{})
	encoded := strings.Replace(token, "_", "%5f", 1)
	for text, want := range map[string]string{
		"/a?key=" + token + "&b=%20": "/a?key=" + Masked + "&b=%20",
		"http://a/?key=" + encoded:   Masked,
		"100% of " + encoded + " %":  Masked,
		"%66n" + token[2:]:           Masked,
		"100% %zz %5":                "100% %zz %5",
	} {
		if got := MaskEncoded(text); got != want {
			t.Errorf("%q is masked as %q, want %q", text, got, want)
		}
	}
}
