// Package bytesize reads and writes numbers of bytes with a unit.
package bytesize

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

var (
	pattern = regexp.MustCompile(`^\+?(\d+(?:\.\d+)?) *(b|kb|mb|gb|tb)?$`)
	units   = map[string]float64{"": 1, "b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40}
)

// Parse reads a number of bytes in the syntax of the npm module bytes: "1024", "500kb", "1.5 MB". The units are b,
// kb, mb, gb and tb, powers of 1024, in any case; a fraction of a byte is dropped. Text that the module would silently
// misread, such as "1m" (one byte there), "-1kb" or "none", is an error here.
func Parse(text string) (int64, error) {
	m := pattern.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil {
		return 0, fmt.Errorf("size %q: not a number of bytes such as 1024, 500kb or 1.5mb", text)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("size %q: %w", text, err)
	}
	if n *= units[m[2]]; n >= math.MaxInt64 {
		return 0, fmt.Errorf("size %q: too large", text)
	}
	return int64(n), nil
}

// Text writes n, which is not negative, exactly: in the largest unit of which it is a whole multiple.
func Text(n int64) string {
	for _, unit := range []string{"tb", "gb", "mb", "kb"} {
		if size := int64(units[unit]); n > 0 && n%size == 0 {
			return strconv.FormatInt(n/size, 10) + unit
		}
	}
	return strconv.FormatInt(n, 10) + "b"
}
