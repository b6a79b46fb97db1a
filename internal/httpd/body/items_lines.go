package body

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// lineBuffer is how much of a line is read at a time, in bytes.
const lineBuffer = 4 << 10

// lines reads items that are lines. Empty ones are none.
func (i *Items) lines(from io.Reader) func() (Item, error) {
	in := bufio.NewReaderSize(from, lineBuffer)
	return func() (Item, error) {
		for granted := 0; ; {
			text, all, err := i.line(in, granted)
			if granted = all; err != nil {
				return Item{Granted: granted}, err
			}
			if text = bytes.Trim(bytes.TrimPrefix(text, bom), whiteSpace); len(text) > 0 {
				return i.check(text, granted)
			}
		}
	}
}

// line reads to the end of a line, and returns how many bytes of Grow there are then. What follows a line that is
// refused can still be read.
func (i *Items) line(in *bufio.Reader, granted int) (text []byte, all int, err error) {
	var refusal error
	for {
		piece, err := in.ReadSlice('\n')
		if refusal == nil {
			text, granted, refusal = i.add(text, piece, granted)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && !errors.Is(err, io.EOF):
			return nil, granted, i.fail(err)
		case refusal != nil:
			return nil, granted, refusal
		case err != nil && len(text) == 0:
			return nil, granted, io.EOF
		default:
			return text, granted, nil
		}
	}
}

// lineEnd is the most bytes that end a line.
const lineEnd = 2

// add appends piece to a line, if that may be so long and there is memory for it.
func (i *Items) add(text, piece []byte, granted int) (longer []byte, all int, err error) {
	need := len(text) + len(piece)
	if int64(need) > i.options.Limit+lineEnd {
		return nil, granted, i.tooLong()
	}
	if need > maxFirstBuffer && need > granted {
		more := max(need, 2*len(text)) - granted
		if !i.options.Grow(more) {
			return nil, granted, ErrNoRoom
		}
		granted += more
	}
	return append(text, piece...), granted, nil
}
