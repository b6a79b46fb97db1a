'use strict'

// Writes exchanges.json and faults.json anew: asks the real parsers what each case in them means.
// Run with Node.js 8 where "npm install body-parser@1.15.2" was run: node refresh.js DIRECTORY

const fs = require('fs')
const http = require('http')
const net = require('net')
const path = require('path')
const bodyParser = require('body-parser')

function rewrite(name, cases) {
  const lines = cases.map(c => '  ' + JSON.stringify(c))
  fs.writeFileSync(path.join(process.argv[2], name), '[\n' + lines.join(',\n') + '\n]\n')
}

function read(name) {
  return JSON.parse(fs.readFileSync(path.join(process.argv[2], name), 'utf8'))
}

function fault(text) {
  try {
    JSON.parse(text)
  } catch (e) {
    return e.message
  }
  throw new Error('not faulty: ' + text)
}

// parse answers with what body-parser makes of the request under the options of c.
function parse(c, req, res) {
  const limit = c.limit === undefined ? 1 << 20 : c.limit
  bodyParser.json({ limit, strict: !c.loose })(req, res, err => {
    const answer = err ? [err.status, err.message] : [200, JSON.stringify(req.body)]
    res.end(Buffer.from(JSON.stringify(answer)).toString('base64'))
  })
}

// wire is the request of c as bytes, written by hand because some of its headers are malformed.
function wire(c) {
  const body = Buffer.from(c.body, 'base64')
  const head = ['PUT / HTTP/1.0', 'Connection: close']
  if (c.type) head.push('Content-Type: ' + c.type)
  if (c.encoding) head.push('Content-Encoding: ' + c.encoding)
  if (!c.chunked) {
    head.push('Content-Length: ' + body.length)
    return Buffer.concat([Buffer.from(head.join('\r\n') + '\r\n\r\n'), body])
  }
  head.push('Transfer-Encoding: chunked')
  const chunk = [Buffer.from(body.length.toString(16) + '\r\n'), body, Buffer.from('\r\n')]
  const chunks = body.length > 0 ? chunk : []
  return Buffer.concat([Buffer.from(head.join('\r\n') + '\r\n\r\n')].concat(chunks, Buffer.from('0\r\n\r\n')))
}

function ask(c) {
  return new Promise((resolve, reject) => {
    const server = http.createServer((req, res) => parse(c, req, res)).listen(0, '127.0.0.1', () => {
      let answer = ''
      const socket = net.connect(server.address().port, '127.0.0.1', () => socket.write(wire(c)))
      socket.setEncoding('latin1')
      socket.on('error', reject)
      socket.on('data', text => { answer += text })
      socket.on('close', () => {
        server.close()
        const text = answer.slice(answer.indexOf('\r\n\r\n') + 4)
        const [status, want] = JSON.parse(Buffer.from(text, 'base64').toString())
        resolve(Object.assign({}, c, { status, want }))
      })
    })
  })
}

async function main() {
  rewrite('faults.json', read('faults.json').map(({ text }) => ({ text, want: fault(text) })))
  const answers = []
  for (const c of read('exchanges.json')) answers.push(await ask(c))
  rewrite('exchanges.json', answers)
}

main().catch(err => {
  console.error(err)
  process.exitCode = 1
})
