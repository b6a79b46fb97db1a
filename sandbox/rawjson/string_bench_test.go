package rawjson

import (
	"strings"
	"testing"
)

func BenchmarkVisible(b *testing.B) {
	for name, text := range map[string]string{
		"ascii":     strings.Repeat("the price of apples is 7 and that of pears 8. ", 90),
		"letters":   strings.Repeat("o preço das maçãs é 7, e não se fala mais nisso. ", 80),
		"control":   strings.Repeat("\x01", 4096),
		"invisible": strings.Repeat("\u202e", 1365),
		"tags":      strings.Repeat("\U000e0041", 1024),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			var dst []byte
			for b.Loop() {
				dst = AppendVisible(dst[:0], text)
			}
		})
	}
}
