package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"

	"github.com/gorilla/mux"
)

// relayWorker is the least that serves a function in another process: it parses a request from a line, calls main and answers with a line.
const relayWorker = helloCode + `
const fs = require('fs')
const buffer = Buffer.allocUnsafe(1 << 16)
let rest = ''
for (;;) {
  const n = fs.readSync(0, buffer, 0, buffer.length, null)
  if (n === 0) process.exit(0)
  const lines = (rest + buffer.latin1Slice(0, n)).split('\n')
  rest = lines.pop()
  for (const line of lines) {
    main(JSON.parse(line), { send(value) { fs.writeSync(1, JSON.stringify({ body: JSON.stringify(value) }) + '\n') } })
  }
}`

// relayed is a call on its way.
type relayed struct {
	line   []byte
	answer chan []byte
}

// relayTogether is how many calls the relay sends in one write at the most, as a worker gets them.
const relayTogether = 16

// serveRelay is what two processes that talk to each other can do without being a server of functions: as serveConstant, but each request is sent
// through a pipe to one of the bare Node.js processes of its function, of which there are RELAYS.
func serveRelay() {
	relays, err := strconv.Atoi(os.Getenv("RELAYS"))
	if err != nil {
		log.Fatal(err)
	}
	var mu sync.Mutex
	functions := map[string]chan relayed{}
	callsOf := func(id string) chan<- relayed {
		mu.Lock()
		defer mu.Unlock()
		calls, ok := functions[id]
		if !ok {
			calls = make(chan relayed, 1024)
			functions[id] = calls
			for range relays {
				go relay(calls)
			}
		}
		return calls
	}
	serveFloor(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			log.Fatal(err)
		}
		line, err := json.Marshal(map[string]any{"method": r.Method, "headers": r.Header, "query": r.URL.Query(), "body": json.RawMessage(body)})
		if err != nil {
			log.Fatal(err)
		}
		call := relayed{append(line, '\n'), make(chan []byte, 1)}
		callsOf(mux.Vars(r)["id"]) <- call
		var answer struct{ Body string }
		if err := json.Unmarshal(<-call.answer, &answer); err != nil {
			log.Fatal(err)
		}
		_, _ = io.WriteString(w, answer.Body)
	})
}

// waiting takes calls that wait, at most as many as go together with another one.
func waiting(calls <-chan relayed) (taken []relayed) {
	for len(taken) < relayTogether-1 {
		select {
		case call := <-calls:
			taken = append(taken, call)
		default:
			return taken
		}
	}
	return taken
}

// relay serves calls with a Node.js of its own: those that wait are sent together.
func relay(calls <-chan relayed) {
	cmd, stdin, answers, err := bareNode(relayWorker)
	if err = errors.Join(err, cmd.Start()); err != nil {
		log.Fatal(err)
	}
	var lines []byte
	for call := range calls {
		sent := append(waiting(calls), call)
		lines = lines[:0]
		for _, call := range sent {
			lines = append(lines, call.line...)
		}
		if _, err := stdin.Write(lines); err != nil {
			log.Fatal(err)
		}
		for _, call := range sent {
			line, err := answers.ReadSlice('\n')
			if err != nil {
				log.Fatal(err)
			}
			call.answer <- bytes.Clone(line)
		}
	}
}
