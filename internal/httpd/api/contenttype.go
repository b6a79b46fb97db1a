package api

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// contentTypeFor is the type to send for the one that the function set, which may be none. Bodies are JSON in UTF-8,
// and a type of text says so. An empty answer keeps its type, except that express completes text/*.
func contentTypeFor(set string, hasBody bool) (string, error) {
	switch {
	case set == "" && hasBody:
		return contentTypeJSON, nil
	case set == "":
		return contentTypeNoBody, nil
	case !hasBody && (!strings.HasPrefix(set, "text/") || strings.Contains(set, "charset=")):
		return set, nil
	case !hasBody:
		return set + "; charset=utf-8", nil
	}
	media, params, ok := parseType(set)
	if !ok {
		return "", unsendable("invalid media type")
	}
	if isBinary(media) {
		return set, nil
	}
	params["charset"] = "utf-8"
	return formatType(media, params), nil
}

// isBinary names the types for which a charset makes no sense. All others are taken for text, as the original took
// every type.
func isBinary(media string) bool {
	kind, subtype, _ := strings.Cut(media, "/")
	switch kind {
	case "image", "audio", "video", "font", "model", "multipart":
		return true
	case "application":
		switch subtype {
		case "octet-stream", "pdf", "zip", "gzip", "x-tar", "wasm", "protobuf", "x-protobuf", "cbor", "msgpack":
			return true
		}
	}
	return false
}

// parseType reads a content type as the npm module content-type 1 does, over the bytes of a header: names of parameters
// are in lower case, and of one given twice the last counts. Unlike there a semicolon may stand at the end.
func parseType(text string) (media string, params map[string]string, ok bool) {
	media, rest, _ := strings.Cut(text, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	kind, subtype, _ := strings.Cut(media, "/")
	if !isToken(kind) || !isToken(subtype) {
		return "", nil, false
	}
	params = map[string]string{}
	for rest = strings.TrimLeft(rest, " "); rest != ""; {
		var name, value string
		if name, rest, ok = strings.Cut(rest, "="); !ok || !isToken(strings.TrimRight(name, " ")) {
			return "", nil, false
		}
		if value, rest, ok = cutValue(strings.TrimLeft(rest, " ")); !ok {
			return "", nil, false
		}
		params[strings.ToLower(strings.TrimRight(name, " "))] = value
	}
	return media, params, true
}

// cutValue takes the value of a parameter off text, with the semicolon behind it.
func cutValue(text string) (value, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		value, rest, _ = strings.Cut(text, ";")
		value = strings.TrimRight(value, " ")
		return value, strings.TrimLeft(rest, " "), isToken(value)
	}
	var out []byte
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			rest, ok = strings.CutPrefix(strings.TrimLeft(text[i+1:], " "), ";")
			return string(out), strings.TrimLeft(rest, " "), ok || rest == ""
		case c == '\\' && i+1 < len(text):
			i++
			out = append(out, text[i])
		default:
			out = append(out, c)
		}
	}
	return "", "", false
}

// formatType writes a content type as that module does: parameters are sorted, and in quotes unless they are tokens.
func formatType(media string, params map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		value := params[name]
		if !isToken(value) {
			value = `"` + quotedPairs.Replace(value) + `"`
		}
		media += "; " + name + "=" + value
	}
	return media
}

var quotedPairs = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// isToken says whether text is a token (RFC 9110, section 5.6.2), as names of headers are.
func isToken(text string) bool { return httpguts.ValidHeaderFieldName(text) }
