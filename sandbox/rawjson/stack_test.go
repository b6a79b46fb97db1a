package rawjson_test

import (
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/backstage/functions/sandbox/rawjson"
)

// A deep text takes no deep stack: whoever may send many at a time would have the server hold a stack for each.
func TestDepthTakesNoStack(t *testing.T) {
	const readers = 100
	text := []byte(strings.Repeat(`[{"a":`, depth/2) + "1" + strings.Repeat("}]", depth/2))
	var read, all sync.WaitGroup
	read.Add(readers)
	hold := make(chan struct{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range readers {
		all.Go(func() {
			if !rawjson.Scan(text, depth).OK {
				t.Error("the text is refused")
			}
			read.Done()
			<-hold
		})
	}
	read.Wait()
	runtime.ReadMemStats(&after)
	close(hold)
	all.Wait()
	if each := (int64(after.StackInuse) - int64(before.StackInuse)) / readers; each > 64<<10 {
		t.Errorf("each reader's stack has %d KB", each>>10)
	}
}
