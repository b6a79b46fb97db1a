package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkWarm measures calls of workers that have served their function before, with each degree of isolation, beside a handler that answers a
// constant and one that does nothing but ask another process.
func BenchmarkWarm(b *testing.B) {
	for _, connections := range []int{1, 16, 64} {
		floor := fmt.Sprintf("constant handler, c=%d", connections)
		b.Run(floor, func(b *testing.B) {
			for b.Loop() {
				s := startServing(b, "constant")
				benchmarks.add(b, floor, s.loadHello(b, connections, loadTime), "")
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
		for _, isolation := range []string{"strict", "process", "none"} {
			name := fmt.Sprintf("hello, ISOLATION=%s, c=%d", isolation, connections)
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					s := startBenched(b, "ISOLATION="+isolation)
					s.hello(b, connections, "")
					benchmarks.add(b, name, s.loadHello(b, connections, loadTime), floor)
				}
			})
		}
	}
}

const megabyte = 1_000_000

// BenchmarkMegabyte measures answers of 1 MB, and bodies of 1 MB that the function has parsed, beside a pipe that carries as much to a Node.js, which does
// nothing with it, and one which parses it.
func BenchmarkMegabyte(b *testing.B) {
	body, err := json.Marshal(map[string]string{"text": strings.Repeat("a", megabyte)})
	if err != nil {
		b.Fatal(err)
	}
	for name, code := range map[string]string{"1 MB through a pipe": fmt.Sprintf(pipeFloor, len(body)+1), "1 MB of JSON through a pipe": jsonFloor} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				benchmarks.add(b, name, inTurn(0, startPipe(b, code, append(body, '\n'))), "")
			}
		})
	}
	b.Run("1 MB body", func(b *testing.B) {
		for b.Loop() {
			s := startBenched(b)
			put(b, s.url+"/functions/bench/length", `function main(req, res) { res.send(req.body.text.length) }`, "")
			text := string(body)
			m := inTurn(0, func(int) { s.run(b, http.DefaultClient, "/functions/bench/length", text, strconv.Itoa(megabyte)) })
			benchmarks.add(b, "1 MB body", m, "1 MB of JSON through a pipe")
		}
	})
	b.Run("1 MB answer", func(b *testing.B) {
		for b.Loop() {
			s := startBenched(b)
			put(b, s.url+"/functions/bench/long", fmt.Sprintf(`const text = 'a'.repeat(%d); function main(req, res) { res.send({ text }) }`, megabyte), "")
			want := string(body)
			m := inTurn(0, func(int) { s.run(b, http.DefaultClient, "/functions/bench/long", "{}", want) })
			benchmarks.add(b, "1 MB answer", m, "")
		}
	})
}
