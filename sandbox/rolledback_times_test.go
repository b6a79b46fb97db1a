//go:build linux && amd64

package sandbox_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/backstage/functions/sandbox"
)

// pipeTimes answers with the moments that the kernel tells of stdin and stdout, and at last the present one, in
// milliseconds.
const pipeTimes = `const fs = require('fs');
module.exports = (req, res) => {
  const told = [].concat(...[0, 1].map(fd => fs.fstatSync(fd)).map(s => [s.atimeMs, s.mtimeMs, s.ctimeMs]));
  res.send([...told, Date.now()]);
};`

// tick is more than the milliseconds by which the clock of files is late at most.
const tick = 20

// No call learns when the one before has answered, which that could choose: what the kernel tells of the pipes is as
// old as the worker, or as the call.
func TestNoCallLearnsWhenAnotherHasAnswered(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		observer := newRolledBack(t)
		pool := newRealPool(t, func(c *sandbox.Config) {
			one(c)
			c.Node, c.Observer = v.binary(t), observer
			c.Modules = append(c.Modules, "fs")
		})
		needRollback(t, pool)
		inv := rolledBackInvocation("times", pipeTimes)
		for first, ended, i := 0.0, 0.0, 0; i < 5; i++ {
			result, err := pool.Invoke(context.Background(), inv)
			if err != nil {
				t.Fatal(err)
			}
			if cause := <-observer.causes; cause != "" {
				t.Fatalf("its worker ends for %s", cause)
			}
			var times []float64
			if err := json.Unmarshal(result.Body, &times); err != nil || len(times) != 7 {
				t.Fatalf("%s: %v", result.Body, err)
			}
			for k, told := range times[:6] {
				if i > 0 && told > first-tick && told < ended+tick {
					t.Errorf("call %d is told of %.0f by time %d, and the one before has answered at %.0f", i, told, k, ended)
				}
			}
			if ended = times[6]; i == 0 {
				first = ended
			}
			time.Sleep(3 * tick * time.Millisecond) // so that the next one has another time
		}
	})
}
