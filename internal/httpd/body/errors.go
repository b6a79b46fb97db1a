package body

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
)

// Error says why a body was refused. Its text is meant for the client.
type Error struct {
	// Status is the HTTP status: 400, 413 or 415.
	Status int
	// Message is one sentence, the same as body-parser's wherever it has one.
	Message string
	// Err is the cause, for the log; nil when Message says it all.
	Err error
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func badRequest(message string, cause error) *Error {
	return &Error{Status: http.StatusBadRequest, Message: message, Err: cause}
}

func tooLarge(cause error) *Error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Message: "request entity too large", Err: cause}
}

func unsupportedCharset(charset string) *Error {
	message := `unsupported charset "` + strings.ToUpper(charset) + `"`
	return &Error{Status: http.StatusUnsupportedMediaType, Message: message}
}

func unsupportedEncoding(encoding string) *Error {
	message := `unsupported content encoding "` + encoding + `"`
	return &Error{Status: http.StatusUnsupportedMediaType, Message: message}
}

// readError turns err, met while reading from src or decompressing what it gave, into an Error.
func readError(src *source, err error) *Error {
	var tooMany *http.MaxBytesError
	switch {
	case errors.Is(err, errLimit), errors.Is(src.err, errLimit), errors.As(src.err, &tooMany):
		return tooLarge(err)
	case src.err != nil:
		return badRequest("request aborted", src.err)
	default:
		return badRequest(inflateMessage(err), err)
	}
}

// inflateMessage is what zlib says about err. The standard library tells less than zlib: the last case stands for all
// kinds of damage inside the compressed data.
func inflateMessage(err error) string {
	switch {
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zlib.ErrHeader):
		return "incorrect header check"
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zlib.ErrChecksum):
		return "incorrect data check"
	case errors.Is(err, zlib.ErrDictionary):
		return "Missing dictionary"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected end of file"
	default:
		return "invalid compressed data"
	}
}
