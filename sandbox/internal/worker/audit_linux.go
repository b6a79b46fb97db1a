package worker

import (
	"math"
	"math/rand/v2"
)

// untilAudit draws after how many rollbacks the next one is audited, where one in n is; 0 for never. Each rollback has
// the same chance, in a worker that serves few calls as in one that serves many, and no call can know of it.
func untilAudit(n int) int {
	if n < 2 {
		return n
	}
	return 1 + int(min(math.Log(1-rand.Float64())/math.Log1p(-1/float64(n)), math.MaxInt32))
}
