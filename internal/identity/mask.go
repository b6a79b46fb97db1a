package identity

import (
	"encoding/hex"
	"strings"
)

// Masked stands for a token where one is not to be seen.
const Masked = tokenPrefix + "***"

// Mask returns text with Masked for each token in it.
func Mask(text string) string {
	at := strings.Index(text, tokenPrefix)
	if at < 0 {
		return text
	}
	var out strings.Builder
	for at >= 0 {
		out.WriteString(text[:at])
		text = text[at:]
		length := len(tokenPrefix)
		if _, is := idOf(text[:min(len(text), tokenLength)]); is {
			out.WriteString(Masked)
			length = tokenLength
		} else {
			out.WriteString(tokenPrefix)
		}
		text = text[length:]
		at = strings.Index(text, tokenPrefix)
	}
	out.WriteString(text)
	return out.String()
}

// MaskEncoded is Mask for text that may be percent-encoded, as URLs are. One whose decoded form has a token that the
// text itself does not show is replaced as a whole.
func MaskEncoded(text string) string {
	hidden := Mask(text)
	if !strings.Contains(hidden, "%") {
		return hidden
	}
	if plain := decoded(hidden); Mask(plain) != plain {
		return Masked
	}
	return hidden
}

// decoded is text with each byte that is percent-encoded in its place. What is no such byte stays as it is.
func decoded(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if b, err := hex.DecodeString(text[i+1 : i+3]); err == nil {
				out.WriteByte(b[0])
				i += 2
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return out.String()
}
