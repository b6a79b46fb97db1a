package invoke

import (
	"bytes"
	"encoding/json"

	"github.com/backstage/functions/internal/function"
)

// withStep adds the members namespace and functionId to a JSON object as assignment does in JavaScript: a member that is
// there keeps its place and gets the new value, a new one comes last. Any other value is returned as it is.
func withStep(body json.RawMessage, ref function.Ref) json.RawMessage {
	body = setMember(body, "namespace", ref.Namespace)
	return setMember(body, "functionId", ref.ID)
}

func setMember(object json.RawMessage, name, value string) json.RawMessage {
	dec := json.NewDecoder(bytes.NewReader(object))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return object
	}
	text := function.AppendJSONString(nil, value)
	empty := !dec.More()
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return object
		}
		var old json.RawMessage
		if dec.Decode(&old) != nil {
			return object
		}
		if key == name {
			end := int(dec.InputOffset())
			return splice(object, end-len(old), end, text)
		}
	}
	if _, err := dec.Token(); err != nil {
		return object
	}
	end := int(dec.InputOffset()) - 1 // before the closing brace
	member := append(function.AppendJSONString(nil, name), ':')
	member = append(member, text...)
	if !empty {
		member = append([]byte{','}, member...)
	}
	return splice(object, end, end, member)
}

// splice returns a copy of text in which the bytes from start up to end are replaced.
func splice(text json.RawMessage, start, end int, with []byte) json.RawMessage {
	out := make(json.RawMessage, 0, len(text)-(end-start)+len(with))
	out = append(out, text[:start]...)
	out = append(out, with...)
	return append(out, text[end:]...)
}
