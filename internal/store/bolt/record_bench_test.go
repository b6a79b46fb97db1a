package bolt

import (
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
)

// BenchmarkDecodeFunction reads the record of a function with 1 MB of code, as each GET and each miss of the cache do.
func BenchmarkDecodeFunction(b *testing.B) {
	const line = "  if (a < b) { res.send(\"é\"); } // and so on\n"
	f := &function.Function{
		Ref: function.Ref{Namespace: "ns", ID: "f"}, Code: strings.Repeat(line, 1<<20/len(line)),
		Env: function.NewEnv(function.Var{Name: "A", Value: "1"}), Hash: "h", VersionID: "v",
	}
	text, err := encodeFunction(f)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := decodeFunction(f.Ref, text); err != nil {
			b.Fatal(err)
		}
	}
}
