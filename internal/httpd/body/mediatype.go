package body

import "strings"

// jsonCharset reads a Content-Type header (RFC 9110, section 8.3): ok says whether it is application/json or, if
// suffixes are asked for, a type such as application/problem+json (RFC 6839, section 3.1), with well-formed parameters.
// Charset is its charset in lower case, "utf-8" when it names none.
func jsonCharset(header string, suffixes bool) (charset string, ok bool) {
	params := ""
	if i := strings.IndexByte(header, ';'); i >= 0 {
		header, params = header[:i], header[i:]
	}
	media := strings.ToLower(strings.Trim(header, " "))
	if media != "application/json" && (!suffixes || !isJSONSuffix(media)) {
		return "", false
	}
	for params != "" {
		var name, value string
		if name, value, params, ok = cutParameter(params); !ok {
			return "", false
		}
		if strings.EqualFold(name, "charset") {
			charset = strings.ToLower(value)
		}
	}
	if charset == "" {
		charset = "utf-8"
	}
	return charset, true
}

// isJSONSuffix says whether media, in lower case, is a type whose suffix says that it is JSON.
func isJSONSuffix(media string) bool {
	kind, subtype, _ := strings.Cut(media, "/")
	name, ok := strings.CutSuffix(subtype, "+json")
	return ok && isToken(kind) && isToken(name)
}

func isToken(s string) bool {
	token, rest := cutToken(s)
	return token != "" && rest == ""
}

// cutParameter takes the first parameter, such as `; charset="utf-8"`, off s.
func cutParameter(s string) (name, value, rest string, ok bool) {
	if s[0] != ';' {
		return "", "", "", false
	}
	name, s = cutToken(skipSpaces(s[1:]))
	s = skipSpaces(s)
	if name == "" || s == "" || s[0] != '=' {
		return "", "", "", false
	}
	s = skipSpaces(s[1:])
	if strings.HasPrefix(s, `"`) {
		value, s, ok = cutQuoted(s[1:])
	} else {
		value, s = cutToken(s)
		ok = value != ""
	}
	return name, value, skipSpaces(s), ok
}

// cutToken takes the token at the start of s off it; the token is empty when s starts with none.
func cutToken(s string) (token, rest string) {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// cutQuoted takes the rest of a quoted string, whose opening quote is already gone, off s and resolves its escapes.
func cutQuoted(s string) (text, rest string, ok bool) {
	var out []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			return string(out), s[i+1:], true
		case c == '\\' && i+1 < len(s) && ' ' <= s[i+1] && s[i+1] <= '~':
			i++
			out = append(out, s[i])
		case c < ' ' || c == '\\' || c == 0x7f:
			return "", "", false
		default:
			out = append(out, c)
		}
	}
	return "", "", false
}

func skipSpaces(s string) string { return strings.TrimLeft(s, " ") }

// isTokenByte says whether c may stand in a token (RFC 9110, section 5.6.2).
func isTokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}
