package main

import (
	"fmt"
	"runtime"
	"testing"
)

// BenchmarkReuse measures the ways in which a call can get its worker, in turns on one run: one that has served others,
// one that is put back to what it was after each call, and a process for each call; beside a constant and a bare relay.
func BenchmarkReuse(b *testing.B) {
	for _, connections := range []int{1, 4, 16, 64} {
		floor := fmt.Sprintf("constant handler, c=%d", connections)
		b.Run(floor, func(b *testing.B) {
			for b.Loop() {
				benchmarks.add(b, floor, startServing(b, "constant").loadHello(b, connections, loadTime), "")
			}
		})
		relay := fmt.Sprintf("bare relay to Node.js, c=%d", connections)
		b.Run(relay, func(b *testing.B) {
			for b.Loop() {
				s := startServing(b, "relay", fmt.Sprintf("RELAYS=%d", min(connections, runtime.GOMAXPROCS(0))))
				s.warmHello(b, connections)
				benchmarks.add(b, relay, s.loadHello(b, connections, loadTime), floor)
			}
		})
		warm := fmt.Sprintf("used worker, c=%d", connections)
		for _, row := range []struct{ name, properties, of string }{
			{warm, "", relay},
			{fmt.Sprintf("worker put back, c=%d", connections), `"reuse":"rollback"`, warm},
			{fmt.Sprintf("process for each call, c=%d", connections), `"maxInvocations":1`, warm},
		} {
			b.Run(row.name, func(b *testing.B) {
				for b.Loop() {
					s := startBenched(b)
					s.hello(b, connections, row.properties)
					if row.properties == `"reuse":"rollback"` {
						s.untilPutBack(b, helloPath, helloBody)
						s.warmHello(b, connections)
					}
					benchmarks.add(b, row.name, s.loadHello(b, connections, loadTime), row.of)
				}
			})
		}
	}
}
