package latin1

import (
	"strings"
	"testing"
)

func TestBytesAreCharacters(t *testing.T) {
	for header, text := range map[string]string{
		"": "", "plain": "plain", "Jos\xe9": "José", "Jos\xc3\xa9": "JosÃ©", "\x80\xa0\xff": "\u0080\u00a0ÿ", "a\x00b": "a\x00b",
	} {
		if got := Decode(header); got != text {
			t.Errorf("Decode(%q) = %q, want %q", header, got, text)
		}
		if got, ok := Encode(text); got != header || !ok {
			t.Errorf("Encode(%q) = %q, %t, want %q", text, got, ok, header)
		}
	}
}

func TestCharactersAboveAByteAreRefused(t *testing.T) {
	for _, text := range []string{"Ā", "é☃", "😀", "a\xff"} {
		if got, ok := Encode(text); ok {
			t.Errorf("Encode(%q) = %q", text, got)
		}
	}
}

func TestURLsAreUTF8WhereTheyCanBe(t *testing.T) {
	for url, text := range map[string]string{"é": "é", "\xe9": "é", "é\xe9": "Ã©é", "a": "a"} {
		if got := DecodeUnlessUTF8(url); got != text {
			t.Errorf("DecodeUnlessUTF8(%q) = %q, want %q", url, got, text)
		}
	}
}

func FuzzDecodedBytesEncodeAgain(f *testing.F) {
	f.Add("Jos\xe9\x00\xff")
	f.Fuzz(func(t *testing.T, header string) {
		if got, ok := Encode(Decode(header)); got != header || !ok {
			t.Errorf("%q became %q, %t", header, got, ok)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for name, header := range map[string]string{"ascii": strings.Repeat("abcdefgh", 8), "latin1": strings.Repeat("abcdefg\xe9", 8)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Decode(header)
			}
		})
	}
}
