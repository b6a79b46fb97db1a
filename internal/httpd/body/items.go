package body

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Items reads a body of many JSON values one by one, as they come: a line each (NDJSON), or the elements of an array.
// It is used by one goroutine at a time.
type Items struct {
	options Options
	next    func() (Item, error)
	over    bool
}

// Item is one value.
type Item struct {
	// Text is JSON of any kind, without space around it.
	Text json.RawMessage
	// Granted is how many bytes of Grow it has, to be given back once it is not used any more.
	Granted int
}

// lineTypes are the media types of NDJSON that are in use; none of them is registered.
var lineTypes = map[string]bool{
	"application/x-ndjson": true, "application/ndjson": true, "application/jsonl": true, "application/x-jsonlines": true,
	"application/jsonlines": true, "application/x-jsonl": true,
}

// ItemsOf returns the items of the body of r: lines if its media type is one of NDJSON, an array if it is JSON. Limit
// and Depth hold for each item. The error is an *Error with status 415 for a body of another type, or one that is
// compressed.
func ItemsOf(r *http.Request, o Options) (*Items, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	switch encoding := contentEncoding(r.Header); {
	case encoding != identity:
		return nil, unsupportedEncoding(encoding)
	case charset != "" && !isUTF8(charset):
		return nil, unsupportedCharset(charset)
	case err != nil, !lineTypes[media] && media != "application/json":
		message := "send the inputs as application/x-ndjson, one in each line, or as application/json, an array"
		return nil, &Error{Status: http.StatusUnsupportedMediaType, Message: message}
	}
	i := &Items{options: o.withDefaults()}
	i.options.Strict = false
	from := r.Body
	if isEmpty(r) {
		from = http.NoBody
	}
	if i.next = i.lines(from); !lineTypes[media] {
		i.next = i.elements(from)
	}
	return i, nil
}

func isUTF8(charset string) bool {
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// Next returns the next item; io.EOF after the last one. Its other errors are those of Read, about one item: others
// follow unless Over says that none does.
func (i *Items) Next() (Item, error) {
	item, err := i.next()
	if errors.Is(err, io.EOF) {
		i.over = true
	}
	return item, err
}

// Over says that nothing more can be read.
func (i *Items) Over() bool { return i.over }

// fail is err, met while reading, after which nothing more can be read.
func (i *Items) fail(err error) error {
	i.over = true
	var tooMany *http.MaxBytesError
	switch {
	case errors.Is(err, errLimit), errors.As(err, &tooMany):
		return i.tooLong()
	case errors.Is(err, ErrNoRoom):
		return ErrNoRoom
	}
	return badRequest("request aborted", err)
}

func (i *Items) tooLong() *Error {
	return &Error{
		Status:  http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("An input has more than %d bytes: the limit is BODY_PARSER_LIMIT", i.options.Limit),
	}
}

// check makes an item of a text.
func (i *Items) check(text []byte, granted int) (Item, error) {
	if int64(len(text)) > i.options.Limit {
		return Item{Granted: granted}, i.tooLong()
	}
	if !utf8.Valid(text) {
		return Item{Granted: granted}, badRequest("an input is not UTF-8", nil)
	}
	parsed, err := parse(text, i.options)
	return Item{parsed, granted}, err
}
