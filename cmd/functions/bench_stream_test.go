package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	streamPieces = 1600
	streamPiece  = 64 << 10 // bytes
	streamBytes  = streamPieces * streamPiece

	streamPath = "/functions/bench/stream"
	// streamCode answers with a body of streamBytes, as an iterator that is asked for the next piece when there is room.
	streamCode = `const piece = Buffer.alloc(%d, 'a');
function* pieces() { for (let i = 0; i < %d; i++) yield piece }
function main(req, res) { res.type('text').end(pieces()) }`

	// streamFloor writes as much to a pipe for each byte that it reads.
	streamFloor = `const piece = Buffer.alloc(%d, 'a')
process.stdin.on('data', () => {
  let left = %d
  const next = () => { if (left-- > 0) process.stdout.write(piece, next) }
  next()
})`
)

// BenchmarkStream measures an answer of 100 MB that a function streams beside a pipe that carries as much, and how much
// more memory it takes in the server and in the worker.
func BenchmarkStream(b *testing.B) {
	const floor = "100 MB through a pipe"
	b.Run(floor, func(b *testing.B) {
		for b.Loop() {
			cmd, ask, from, err := bareNode(fmt.Sprintf(streamFloor, streamPiece, streamPieces))
			if err != nil {
				b.Fatal(err)
			}
			startFloor(b, cmd)
			benchmarks.add(b, floor, inTurn(0, func(int) {
				if _, err := ask.Write([]byte{'1'}); err != nil {
					b.Fatal(err)
				}
				if _, err := io.CopyN(io.Discard, from, streamBytes); err != nil {
					b.Fatal(err)
				}
			}), "")
		}
	})
	const name = "100 MB that a function streams"
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			s := startBenched(b)
			put(b, s.url+streamPath, fmt.Sprintf(streamCode, streamPiece, streamPieces), `"body":"auto"`)
			s.stream(b, streamPath)
			server, worker := residentOf(s.pid(), "VmRSS"), residentOf(s.workers()[0].pid, "VmRSS")
			m := inTurn(0, func(int) { s.stream(b, streamPath) })
			benchmarks.add(b, name, m, floor)
			benchmarks.note(b, name, m.rate*streamBytes/1e6, "MB/s")
			benchmarks.note(b, "most memory of the server beyond that before, "+name, mega(residentOf(s.pid(), "VmHWM")-server), "MB server")
			benchmarks.note(b, "most memory of the worker beyond that before, "+name, mega(residentOf(s.workers()[0].pid, "VmHWM")-worker), "MB worker")
		}
	})
}

// stream calls the function at path and reads all of its answer, which has streamBytes.
func (s *server) stream(b *testing.B, path string) {
	b.Helper()
	answer, err := http.Post(s.url+path+"/run", "application/json", strings.NewReader("{}"))
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	if n, err := io.Copy(io.Discard, answer.Body); err != nil || n != streamBytes || answer.StatusCode != http.StatusOK {
		b.Fatalf("%d bytes with status %d: %v", n, answer.StatusCode, err)
	}
}

// residentOf is a size of the process pid in KiB: proc_pid_status(5). It is 0 when the process is gone.
func residentOf(pid int, name string) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if key, value, _ := strings.Cut(line, ":"); key == name {
			size, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
			return size
		}
	}
	return 0
}

const (
	ticks = 200

	tickPath = "/functions/bench/ticks"
	// tickCode writes the time when it writes, at the begin of a millisecond since that is all that Date tells.
	tickCode = `function tick(res, left) {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  res.write(now + '\n');
  if (left > 1) setTimeout(tick, 20, res, left - 1);
  else res.end();
}
function main(req, res) { setTimeout(tick, 20, res, %d) }`

	tickFloor = `const res = { write(text) { process.stdout.write(text) }, end() {} }
%s
main(null, res)`
)

// BenchmarkFirstByte measures how long what a function writes is on its way to its caller, in a server that does nothing
// else, beside a pipe.
func BenchmarkFirstByte(b *testing.B) {
	const floor = "a write until it is read, a pipe"
	code := fmt.Sprintf(tickCode, ticks)
	b.Run(floor, func(b *testing.B) {
		for b.Loop() {
			cmd, _, from, err := bareNode(fmt.Sprintf(tickFloor, code))
			if err != nil {
				b.Fatal(err)
			}
			startFloor(b, cmd)
			benchmarks.add(b, floor, ticksOf(b, from), "")
		}
	})
	const name = "a write until the caller has it"
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			s := startBenched(b)
			put(b, s.url+tickPath, code, `"body":"auto"`)
			answer, err := http.Post(s.url+tickPath+"/run", "application/json", strings.NewReader("{}"))
			if err != nil {
				b.Fatal(err)
			}
			benchmarks.add(b, name, ticksOf(b, bufio.NewReader(answer.Body)), floor)
			_ = answer.Body.Close() // it was read as far as it is needed
		}
	})
}

// ticksOf reads the times that were written.
func ticksOf(b *testing.B, from *bufio.Reader) measured {
	b.Helper()
	var took []time.Duration
	for range ticks {
		line, err := from.ReadString('\n')
		now := time.Now()
		if err != nil {
			b.Fatal(err)
		}
		sent, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, max(now.Sub(time.UnixMilli(sent)), 0))
	}
	return quantiles(took)
}

// BenchmarkWebGlobals measures calls of a warm function that has the globals of the web platform beside the same one
// without.
func BenchmarkWebGlobals(b *testing.B) {
	for _, connections := range []int{1, 16} {
		plain := fmt.Sprintf("hello, c=%d", connections)
		web := fmt.Sprintf(`hello with "globals":"web", c=%d`, connections)
		b.Run(fmt.Sprint(connections), func(b *testing.B) {
			for b.Loop() {
				s := startBenched(b)
				s.hello(b, connections, "")
				benchmarks.add(b, plain, s.loadHello(b, connections, loadTime), "")
				s.hello(b, connections, `"globals":"web"`)
				s.loadHello(b, connections, loadTime) // the fork server has not rehearsed such calls
				benchmarks.add(b, web, s.loadHello(b, connections, loadTime), plain)
				s.end(b)
			}
		})
	}
}
