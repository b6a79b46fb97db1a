package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// member is one name of a JSON object and its value.
type member struct {
	name  string
	value json.RawMessage
}

// readObject reads a JSON object strictly: one object with nothing after it and no name twice at any depth. Decoding
// into a struct or a map would drop unknown names and keep the last of two.
func readObject(text string) ([]member, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("it is not UTF-8")
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("it does not begin as an object")
	}
	var members []member
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, plain(err)
		}
		m := member{name: token.(string)} //nolint:forcetypeassert // the decoder gives nothing else here
		if seen[m.name] {
			return nil, fmt.Errorf("%q appears twice", m.name)
		}
		seen[m.name] = true
		if err := decoder.Decode(&m.value); err != nil {
			return nil, plain(err)
		}
		if err := eachOnce(m.value); err != nil {
			return nil, fmt.Errorf("%q: %w", m.name, err)
		}
		members = append(members, m)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, plain(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text after it")
	}
	return members, nil
}

// eachOnce finds names that appear twice in the objects within value.
func eachOnce(value json.RawMessage) error {
	switch value[0] {
	case '{':
		_, err := readObject(string(value))
		return err
	case '[':
		var elements []json.RawMessage
		if err := json.Unmarshal(value, &elements); err != nil {
			return err
		}
		for _, element := range elements {
			if err := eachOnce(element); err != nil {
				return err
			}
		}
	}
	return nil
}

// plain removes Go's own details from an error.
func plain(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it has no end")
	}
	return err
}

// readString reads a JSON string and nothing else, not even null.
func readString(value json.RawMessage) (string, error) {
	var text string
	if !bytes.HasPrefix(value, []byte{'"'}) {
		return "", errors.New("is not a string")
	}
	if err := json.Unmarshal(value, &text); err != nil {
		return "", err
	}
	return text, nil
}

// maxMembers is the most names of an object.
const maxMembers = 10_000

// object reads a JSON object and passes each value to read; valid is one that it accepts.
func object[V any](what, valid string, read func(name string, value json.RawMessage) (V, error),
	target func(*Config) *map[string]V,
) parser {
	refused := func(err error) error { return fmt.Errorf("must be a JSON object%s: %w", what, err) }
	p := past(func(c *Config, text string) error {
		members, err := readObject(text)
		if err != nil {
			return refused(err)
		}
		if len(members) > maxMembers {
			return refused(fmt.Errorf("it has more than %d names", maxMembers))
		}
		values := map[string]V{}
		for _, m := range members {
			if values[m.name], err = read(m.name, m.value); err != nil {
				return refused(fmt.Errorf("%q %w", m.name, err))
			}
		}
		*target(c) = values
		return nil
	}, []string{"{}", ` { "a": ` + valid + " } "}, []string{
		"[]", "null", "1", "{1", "{", `{"a":`, `{"a":` + valid + `,"a":` + valid + `}`, `{"a":` + valid + `} x`, `{} {}`,
		`{"a":` + valid + `,}`,
		`{"":` + valid + `}`, "{\"\xff\":" + valid + "}",
	})
	p.largest = func() (within, beyond string) {
		return manyMembers(maxMembers, valid), manyMembers(maxMembers+1, valid)
	}
	return p
}

func manyMembers(n int, value string) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, `,"a%d":%s`, i, value)
	}
	return "{" + out.String()[1:] + "}"
}
