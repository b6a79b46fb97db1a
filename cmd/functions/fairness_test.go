package main

import (
	"fmt"
	"testing"
)

func TestFloodOfOneNamespaceDoesNotStarveAnother(t *testing.T) {
	const flooding, quiet = 40, 20 // clients of one namespace, calls of the other
	s := startServer(t, "POOL_SIZE=2")
	const code = `function main(req, res) { setTimeout(() => res.send(1), 10) }`
	fine := func(int, string) string { return "" }
	none := func() int { return 0 }
	var floods []*callers
	for i := range 4 {
		url := fmt.Sprintf("%s/functions/flood/f%d", s.url, i)
		put(t, url, code, "")
		floods = append(floods, startCallers(flooding/4, url+"/run", none, fine))
	}
	put(t, s.url+"/functions/quiet/f", code, "")
	before := total(floods)
	calm := startCallers(1, s.url+"/functions/quiet/f/run", none, fine)
	calm.await(quiet)
	flooded := total(floods) - before
	for _, c := range append(floods, calm) {
		c.stop(t)
	}
	t.Logf("one client of a namespace had %d calls answered while %d clients of another had %d", quiet, flooding, flooded)
	if flooded > quiet*flooding/2 { // first come, first served would give each client as many
		t.Errorf("%d calls of the flood were answered in the time of %d others", flooded, quiet)
	}
}

// total is how many calls of all have been answered.
func total(all []*callers) (sum int) {
	for _, c := range all {
		c.mu.Lock()
		sum += c.calls
		c.mu.Unlock()
	}
	return sum
}
