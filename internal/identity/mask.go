package identity

import "strings"

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
