package build

import "testing"

// A deploy of one file takes this and what the store needs.
func BenchmarkOneFile(b *testing.B) {
	in := Input{Target: node8, Files: files("index.ts", `export const main = async (req: any) => 'hi ' + req?.name`)}
	build(b, in)
	for b.Loop() {
		build(b, in)
	}
}
