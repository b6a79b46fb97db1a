package invoke

import (
	"errors"
	"strings"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// budget is a Memory of at most limit bytes.
type budget struct{ limit, used, most int }

func (b *budget) Grow(bytes int) bool {
	if b.used+bytes > b.limit {
		return false
	}
	b.used += bytes
	b.most = max(b.most, b.used)
	return true
}

func (b *budget) Shrink(bytes int) { b.used -= bytes }

func TestBodiesBetweenStepsTakeMemory(t *testing.T) {
	long := `"` + strings.Repeat("x", 9998) + `"` // 10,000 bytes
	for name, row := range map[string]struct {
		steps []step
		limit int
		ran   int
		most  int
	}{
		"one at a time":         {[]step{{200, long}, {200, long}, {200, long}}, 10_000, 3, 10_000},
		"no room":               {[]step{{200, "1"}, {200, long}, {200, "1"}}, 9_999, 2, 0},
		"304 keeps the body":    {[]step{{200, long}, {304, "null"}, {200, "1"}}, 10_000, 3, 10_000},
		"short ones are free":   {[]step{{200, "1"}, {200, "2"}}, 0, 2, 0},
		"the answer is not one": {[]step{{200, "1"}, {200, long}}, 0, 2, 0},
		"an end before":         {[]step{{200, long}, {404, "1"}, {200, "1"}}, 10_000, 2, 10_000},
	} {
		t.Run(name, func(t *testing.T) {
			f, refs := newPipeline(row.steps)
			memory := &budget{limit: row.limit}
			_, err := f.Pipeline(t.Context(), refs, Call{ID: "id", Request: sandbox.Request{Method: "PUT"}, Memory: memory})
			if refused := name == "no room"; errors.Is(err, ErrNoMemory) != refused || err != nil && !refused {
				t.Errorf("error %v", err)
			}
			if got := len(f.pool.seen()); got != row.ran || memory.most != row.most || memory.used != 0 {
				t.Errorf("%d steps ran, want %d; %d bytes at most, want %d; %d left", got, row.ran, memory.most, row.most, memory.used)
			}
			if name == "no room" && f.recorder.text() != "p/1 200, p/2 200, pipeline 503" {
				t.Errorf("counted %s", f.recorder.text())
			}
		})
	}
}
