'use strict'

// What a client of Node.js sees of WebSocket connections: see websocket_test.go. It prints its results as JSON.

const [url, run, runtime] = process.argv.slice(2)
const results = {}

// join opens a connection; next resolves to its next message, or to the code of its end.
function join (address, protocols) {
  const socket = new WebSocket(address.replace(/^http/, 'ws'), protocols)
  socket.binaryType = 'arraybuffer'
  const heard = []
  let wake = () => {}
  const hear = what => { heard.push(what); wake() }
  socket.onmessage = ({ data }) => hear(typeof data === 'string' ? data : Array.from(new Uint8Array(data)))
  socket.onerror = () => hear('error')
  socket.onclose = ({ code, reason }) => hear(`${code} ${reason}`)
  const next = async () => {
    while (heard.length === 0) await new Promise(resolve => { wake = resolve })
    return heard.shift()
  }
  return { socket, next }
}

async function deploy (id, code, websocket) {
  const body = JSON.stringify({ code, websocket, runtime })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/functions/ws/${id}`, { method: 'PUT', headers, body })
  if (answer.status !== 200) throw new Error(await answer.text())
}

const echo = word => `function main (req, res) {
  if (req.query.no) return res.status(403).end('no')
  if (req.event === 'open') return res.end('${word} ' + req.path + ' ' + req.query.name)
  if (req.event !== 'message') return res.send({ event: req.event === undefined ? 'none' : req.event })
  if (req.body === 'id') return res.end(req.connectionId)
  if (req.body === 'throw') throw new Error('thrown')
  res.end(typeof req.body === 'string' ? '${word} ' + req.body : req.body)
}`

async function main () {
  const own = `${url}/functions/ws/echo/run`
  await deploy('echo', echo('one'), { protocols: ['b', 'a'] })
  results.plain = await (await fetch(own)).json()
  const one = join(`${own}/below?name=ann`, ['x', 'a'])
  results.welcome = await one.next()
  results.protocol = one.socket.protocol
  one.socket.send('hé')
  results.text = await one.next()
  one.socket.send(new Uint8Array([0, 255]))
  results.bytes = await one.next()
  one.socket.send('throw')
  one.socket.send('x'.repeat(100000))
  results.long = (await one.next()).length
  one.socket.send('id')
  const id = await one.next()
  const at = `${url}/namespaces/ws/connections/${id}`
  results.posted = (await fetch(at, { method: 'POST', body: 'posted' })).status
  results.post = await one.next()
  const { opened, ...shown } = await (await fetch(at)).json()
  results.shown = [shown.id === id, shown.function, shown.protocol, shown.address, Date.parse(opened) <= Date.now()]
  results.foreign = (await fetch(at.replace('/ws/', '/other/'), { method: 'POST', body: 'x' })).status
  await deploy('echo', echo('two'))
  one.socket.send('again')
  results.redeployed = await one.next()
  results.refused = await join(`${own}?no=1`).next()
  const two = join(`${own}?name=bob`)
  await two.next()
  two.socket.close(4001, 'bye')
  results.closed = await two.next()
  const four = join(`${run}/routed?name=route`)
  results.routed = await four.next()
  results.ended = (await fetch(`${at}?code=4002&reason=enough`, { method: 'DELETE' })).status
  results.hangup = await one.next()
  results.gone = (await fetch(at, { method: 'DELETE' })).status
  await fetch(`${url}/functions/ws/echo`, { method: 'DELETE' })
  results.deleted = await four.next()
}

main().catch(error => { results.failed = error.stack }).then(() => console.log(JSON.stringify(results)))
