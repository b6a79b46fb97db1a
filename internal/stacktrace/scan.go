package stacktrace

import "strings"

// maxNumber is the greatest line or column that is looked for.
const maxNumber = 1 << 30

// nextPlace finds the first place in file, such as "ns/id.js:12:7", at or behind from: where it begins and ends in
// text, its line and its column. Start is -1 if there is none. What stands before must not be a part of a longer name.
func nextPlace(file, text string, from int) (start, end, line, column int) {
	for from <= len(text) {
		at := strings.Index(text[from:], file)
		if at < 0 {
			break
		}
		start = from + at
		from = start + len(file)
		if start > 0 && !strings.ContainsRune(" \t\n\r(", rune(text[start-1])) {
			continue
		}
		var ok bool
		if line, end, ok = number(text, from); !ok {
			continue
		}
		if column, end, ok = number(text, end); ok {
			return start, end, line, column
		}
	}
	return -1, 0, 0, 0
}

// number reads a colon and a number from 1 at text[from:], and says where it ends.
func number(text string, from int) (value, end int, ok bool) {
	if from >= len(text) || text[from] != ':' {
		return 0, from, false
	}
	end = from + 1
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		if value = 10*value + int(text[end]-'0'); value > maxNumber {
			return 0, end, false
		}
		end++
	}
	return value, end, value > 0
}
