package bytesize_test

import (
	"strings"
	"testing"

	"github.com/backstage/functions/internal/bytesize"
)

func TestSizesAreReadAsTheBytesModuleReadsThem(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1024": 1024, "1.9": 1, "1024b": 1024, "1 B": 1,
		"1kb": 1 << 10, "+1kb": 1 << 10, "0.5kb": 512, "500kb": 512000, "500 kb": 512000, "1.0005kb": 1024,
		"1mb": 1 << 20, "1MB": 1 << 20, "1.5Mb": 1572864, "1   mb": 1 << 20, "1gb": 1 << 30, "2tb": 2 << 40,
		" 1mb\n": 1 << 20,
	} {
		if got, err := bytesize.Parse(text); err != nil || got != want {
			t.Errorf("Parse(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestTextThatIsNoSizeIsRefused(t *testing.T) {
	for _, text := range []string{
		"", " ", "abc", "mb", "-1", "-1kb", "1m", "1kib", "1kb x", "1e3", ".5kb", "1.kb", "1,5mb", "0x10", "1kb1mb",
		"9223372036854775808", "9999999tb", strings.Repeat("9", 400), "NaN", "Infinity",
	} {
		if got, err := bytesize.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %d", text, got)
		}
	}
}

func TestSizesAreWrittenExactly(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0b", 1: "1b", 1023: "1023b", 1 << 10: "1kb", 1<<10 + 1: "1025b", 1536 << 10: "1536kb", 128 << 20: "128mb",
		1 << 30: "1gb", 5 << 40: "5tb",
	} {
		got := bytesize.Text(n)
		if back, err := bytesize.Parse(got); got != want || err != nil || back != n {
			t.Errorf("%d is written %q, which is read as %d, %v", n, got, back, err)
		}
	}
}
