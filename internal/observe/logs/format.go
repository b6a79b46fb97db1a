package logs

import (
	"fmt"
	"regexp"
)

// part appends one piece of an access line.
type part func(dst []byte, r *Request) []byte

// The formats that morgan knows by name.
var formats = map[string]string{
	"combined": `:remote-addr - :remote-user [:date[clf]] ":method :url HTTP/:http-version" :status ` +
		`:res[content-length] ":referrer" ":user-agent"`,
	"common": `:remote-addr - :remote-user [:date[clf]] ":method :url HTTP/:http-version" :status :res[content-length]`,
	"default": `:remote-addr - :remote-user [:date] ":method :url HTTP/:http-version" :status ` +
		`:res[content-length] ":referrer" ":user-agent"`,
	"short": `:remote-addr :remote-user :method :url HTTP/:http-version :status :res[content-length] ` +
		`- :response-time ms`,
	"tiny": `:method :url :status :res[content-length] - :response-time ms`,
}

// tokenPattern is morgan's: a name of at least two letters and an argument in brackets.
var tokenPattern = regexp.MustCompile(`:([-\w]{2,})(?:\[([^\]]+)\])?`)

// CheckFormat says what is wrong with a format of the access log, or how many tokens it has.
func CheckFormat(format string) (tokens int, err error) {
	parts, err := compile(format)
	return len(parts) / 2, err // a text stands before each token, and one at the end
}

// compile turns a format or the name of one into the parts of a line.
func compile(format string) ([]part, error) {
	if format == "dev" {
		return compileDev()
	}
	if named, ok := formats[format]; ok {
		format = named
	}
	var parts []part
	rest := 0
	for _, at := range tokenPattern.FindAllStringSubmatchIndex(format, -1) {
		parts = append(parts, literal(format[rest:at[0]]))
		var arg string
		if at[4] >= 0 {
			arg = format[at[4]:at[5]]
		}
		token, err := newToken(format[at[2]:at[3]], arg)
		if err != nil {
			return nil, fmt.Errorf("access log format: %s: %w", format[at[0]:at[1]], err)
		}
		parts = append(parts, token)
		rest = at[1]
	}
	return append(parts, literal(format[rest:])), nil
}

// compileDev is the format with a coloured status.
func compileDev() ([]part, error) {
	before, err := compile("\x1b[0m:method :url ")
	if err != nil {
		return nil, err
	}
	after, err := compile(":status \x1b[0m:response-time ms - :res[content-length]\x1b[0m")
	if err != nil {
		return nil, err
	}
	return append(append(before, statusColor), after...), nil
}

func statusColor(dst []byte, r *Request) []byte {
	color := "0"
	switch {
	case r.Status >= 500:
		color = "31"
	case r.Status >= 400:
		color = "33"
	case r.Status >= 300:
		color = "36"
	case r.Status >= 200:
		color = "32"
	}
	return append(append(append(dst, "\x1b["...), color...), 'm')
}

func literal(text string) part {
	return func(dst []byte, _ *Request) []byte { return append(dst, text...) }
}
