//go:build linux

package sandbox_test

import "testing"

// Whoever holds the pipe of the answers can forge none but the one to its own call, and breaks nothing else with it.
var forgeryPromises = []promise{
	{name: "text that is no frame", insider: true, death: "protocol_error", code: forging(`write('hello\n')`)},
	{name: "a frame of another call", insider: true, death: "protocol_error", code: forging(`write('{"type":"result","id":"1","status":200,"headers":[],"reusable":true,"body":1}\n')`)},
	{name: "a piece of another call's stream", insider: true, death: "protocol_error", code: forging(`write('{"type":"chunk","id":"1","size":3}\nabc')`)},
	{name: "a frame of no call", insider: true, death: "protocol_error", code: forging(`write('{"type":"result","status":200}\n')`)},
	{name: "a second ready frame", insider: true, death: "protocol_error", code: forging(`write('{"type":"ready","pid":1,"node":"v8.17.0"}\n')`)},
	{name: "a command of the host's", insider: true, death: "protocol_error", code: forging(`write('{"type":"load","id":"1","filename":"x","code":"y"}\n')`)},
	{name: "a line without end", insider: true, death: "protocol_error", change: patiently, code: forging(`for (;;) write('x'.repeat(65536))`)},
	{name: "a line for another call without end", insider: true, death: "protocol_error", change: patiently, code: forging(`write('{"type":"span","id":"x","headers":['); for (;;) write('["a",""],'.repeat(7000))`)},
	{name: "half a line, then silence", insider: true, death: "sync_deadline", change: soon, code: forging(`write('{"type":'); for (;;) {}`)},
	{name: "bytes that are no text", insider: true, death: "protocol_error", code: forging(`write(Buffer.from([255, 254, 0, 10]))`)},
	{name: "depth without end", insider: true, death: "protocol_error", change: patiently, code: forging(`write('['.repeat(1e6) + '\n')`)},
	{name: "the pipe closed", insider: true, death: "protocol_error", change: patiently, code: forging(`inside.require('fs').closeSync(1); for (;;) {}`)},
	{
		name: "answers written ahead are not taken for the next call's", insider: true,
		code: `const fs = inside.require('fs'); function main(req, res) {
			if (req.body === 'next') return res.send('honest');
			res.send('first'); const write = fs.writeSync; let i = 0;
			setTimeout(() => { for (; i < 50; i++) write(1, JSON.stringify({ type: 'result', id: i.toString(36), status: 200, headers: [], reusable: true, body: 'forged' }) + '\n') }, 0) }`,
		want: `"first"`, then: `"honest"`,
	},
	{name: "a header cannot break out of its line", code: `function main(req, res) { res.set('x', 'a\r\nset-cookie: b=c').send(1) }`, fails: "invalid characters"},
	{name: "a header's name cannot either", code: `function main(req, res) { res.set('x\r\ny', 'a').send(1) }`, fails: "valid HTTP Token"},
	{name: "a status that is none", code: `function main(req, res) { res.status(99).send(1) }`, fails: "status code"},
	{
		name: "members of the answer stay members of the answer", code: `function main(req, res) { res.send({ type: 'error', id: 'x', status: 500, reusable: true, '__proto__x': 1 }) }`,
		want: `{"type":"error","id":"x","status":500,"reusable":true,"__proto__x":1}`,
	},
	{name: "a log line cannot become a frame", code: `function main(req, res) { console.log('\n{"type":"result","id":"1","status":200,"headers":[],"reusable":true,"body":1}\n'); res.send('honest') }`, want: `"honest"`},
	{name: "a toJSON cannot write raw JSON", code: `function main(req, res) { res.send({ toJSON() { return '"},"type":"log' } }) }`, want: `"\"},\"type\":\"log"`},
}

// forging runs code in main with write, which writes to the pipe of the answers.
func forging(code string) string {
	return `function main(req, res) { const write = b => inside.require('fs').writeSync(1, b); ` + code + `; for (;;) {} }`
}

func TestPromiseForgery(t *testing.T) { keep(t, forgeryPromises) }
