package logs

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/backstage/functions/internal/httpd/latin1"
	"github.com/backstage/functions/internal/identity"

	"github.com/backstage/functions/sandbox/rawjson"
)

// fields are the tokens that take no argument and are texts.
var fields = map[string]func(*Request) string{
	"method":       func(r *Request) string { return r.Method },
	"url":          urlOf,
	"http-version": func(r *Request) string { return strconv.Itoa(r.ProtoMajor) + "." + strconv.Itoa(r.ProtoMinor) },
	"referrer": func(r *Request) string {
		return latin1.Decode(cmp.Or(r.Header.Get("Referer"), r.Header.Get("Referrer")))
	},
	"user-agent":  userAgent,
	"remote-addr": remoteAddr,
	"remote-user": func(r *Request) string { user, _, _ := r.BasicAuth(); return user },
}

// urlOf and userAgent are text that functions see the same way.
func urlOf(r *Request) string     { return latin1.DecodeUnlessUTF8(r.RequestURI) }
func userAgent(r *Request) string { return latin1.Decode(r.UserAgent()) }

// newToken returns the token of that name; arg is the text in brackets after it, if any.
func newToken(name, arg string) (part, error) {
	if get, ok := fields[name]; ok {
		return func(dst []byte, r *Request) []byte { return appendText(dst, get(r)) }, nil
	}
	switch name {
	case "status":
		return func(dst []byte, r *Request) []byte { return appendNumber(dst, int64(r.Status), r.Status != 0) }, nil
	case "req":
		return requestHeader(arg)
	case "res":
		return answerHeader(arg)
	case "date":
		return date(arg)
	case "response-time":
		return took(arg, time.Millisecond)
	case "response-sectime":
		return took(arg, time.Second)
	}
	return nil, errors.New("unknown token")
}

// appendText appends a part of the line that came from outside; "-" stands for nothing.
func appendText(dst []byte, text string) []byte {
	if text == "" {
		return append(dst, '-')
	}
	return appendField(dst, shown(text))
}

// shown is what a line tells of a part that came from outside: keys of callers are masked wherever they stand, and a
// long part is cut.
func shown(text string) string { return cut(identity.MaskEncoded(text)) }

// maxText is how many bytes of a part that came from outside a line tells.
const maxText = 2 << 10

// cut returns text, or its beginning with a mark when it is longer than maxText. It cuts no character in two.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > maxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…[" + strconv.Itoa(len(text)-end) + " bytes cut]"
}

func appendNumber(dst []byte, n int64, known bool) []byte {
	if !known {
		return append(dst, '-')
	}
	return strconv.AppendInt(dst, n, 10)
}

var errNoHeader = errors.New("needs the name of a header in brackets")

func requestHeader(name string) (part, error) {
	switch {
	case name == "":
		return nil, errNoHeader
	case strings.EqualFold(name, "host"): // net/http keeps it apart
		return func(dst []byte, r *Request) []byte { return appendText(dst, latin1.Decode(r.Host)) }, nil
	}
	return func(dst []byte, r *Request) []byte {
		return appendText(dst, latin1.Decode(strings.Join(r.Header.Values(name), ", ")))
	}, nil
}

func answerHeader(name string) (part, error) {
	switch {
	case name == "":
		return nil, errNoHeader
	case strings.EqualFold(name, "content-length"):
		return func(dst []byte, r *Request) []byte { return appendNumber(dst, r.Length, r.Length >= 0) }, nil
	}
	return func(dst []byte, r *Request) []byte {
		return appendText(dst, latin1.Decode(strings.Join(r.Answer.Values(name), ", ")))
	}, nil
}

// date is the time at which the line is written, in UTC.
func date(form string) (part, error) {
	layout, ok := map[string]string{
		"":    http.TimeFormat,
		"web": http.TimeFormat,
		"clf": "02/Jan/2006:15:04:05 -0700",
		"iso": rawjson.Timestamp,
	}[form]
	if !ok {
		return nil, fmt.Errorf("date format %q is not web, clf or iso", form)
	}
	return func(dst []byte, _ *Request) []byte { return time.Now().UTC().AppendFormat(dst, layout) }, nil
}

// took is the time until the answer was written, in the unit, with three decimals if arg does not say how many.
func took(arg string, unit time.Duration) (part, error) {
	digits := 3
	if arg != "" {
		n, err := strconv.Atoi(arg)
		if err != nil || n < 0 || n > 20 {
			return nil, fmt.Errorf("%q is not a number of decimals", arg)
		}
		digits = n
	}
	return func(dst []byte, r *Request) []byte {
		return strconv.AppendFloat(dst, float64(r.Took)/float64(unit), 'f', digits, 64)
	}, nil
}
