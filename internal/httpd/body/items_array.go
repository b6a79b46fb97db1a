package body

import (
	"encoding/json"
	"errors"
	"io"
)

// elements reads items that are the elements of an array.
func (i *Items) elements(from io.Reader) func() (Item, error) {
	src := &metered{from: from, options: &i.options}
	in := json.NewDecoder(src)
	src.used = in.InputOffset
	begun := false
	return func() (Item, error) {
		if !begun {
			begun = true
			if token, err := in.Token(); err != nil || token != json.Delim('[') {
				return Item{}, i.noArray(err)
			}
		}
		if !in.More() {
			return Item{}, i.endOf(in)
		}
		var text json.RawMessage
		if err := in.Decode(&text); err != nil {
			return Item{}, i.noArray(err)
		}
		granted := 0
		if len(text) > maxFirstBuffer {
			if !i.options.Grow(len(text)) {
				return Item{}, ErrNoRoom
			}
			granted = len(text)
		}
		return i.check(text, granted)
	}
}

// endOf reads the end of the array, behind which there is nothing.
func (i *Items) endOf(in *json.Decoder) error {
	if _, err := in.Token(); err != nil {
		return i.noArray(err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return i.noArray(err)
	}
	return io.EOF
}

// notAnArray is told to who sends something else as application/json.
const notAnArray = "the inputs are not a JSON array: send one, or send each input in a line of its own, as " +
	"application/x-ndjson"

// noArray is err, met where the array should go on. Nothing more can be read then.
func (i *Items) noArray(err error) error {
	i.over = true
	_, isSyntax := errors.AsType[*json.SyntaxError](err)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest("the array of inputs has no end", nil) // io.EOF is the end of one
	case isSyntax, err == nil:
		return badRequest(notAnArray, err)
	}
	return i.fail(err)
}

// metered is what the client sends, as far as it is part of one item: a decoder reads on only when it has no whole one.
type metered struct {
	from    io.Reader
	options *Options
	used    func() int64 // bytes that belong to items before
	read    int64
	granted int64 // of Grow, to the end of the request
}

// besideItem is more than what separates two items.
const besideItem = 64

func (m *metered) Read(p []byte) (int, error) {
	holds := m.read - m.used()
	if holds > m.options.Limit+besideItem {
		return 0, errLimit
	}
	if need := holds + int64(len(p)); need > maxFirstBuffer && need > m.granted {
		if !m.options.Grow(int(need - m.granted)) {
			return 0, ErrNoRoom
		}
		m.granted = need
	}
	n, err := m.from.Read(p)
	m.read += int64(n)
	return n, err
}
