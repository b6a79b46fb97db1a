'use strict';

// What of sockets, names, HTTP and processes is at work when it has returned.

const { PassThrough } = require('stream');

const ignore = () => {};
const PORT = 65431; // where nobody listens
const LOCAL = `127.0.0.1:${PORT}`;
const quick = object => object.on('error', ignore);
const serving = server => (quick(server).listen(0, '127.0.0.1').unref(), () => server.close());

const dns = { lookup: (m) => { m.lookup('localhost', ignore); }, lookupService: (m) => { m.lookupService('127.0.0.1', 1, ignore); } };
const names = { lookup: (m) => { m.lookup('localhost').catch(ignore); }, lookupService: (m) => { m.lookupService('127.0.0.1', 1).catch(ignore); } };
for (const kind of ['', 'Any', '4', '6', 'Cname', 'Mx', 'Ns', 'Txt', 'Srv', 'Ptr', 'Naptr', 'Soa', 'Caa', 'Tlsa']) {
  dns[`resolve${kind}`] = (m) => { m.setServers([LOCAL]); m[`resolve${kind}`]('a.test', ignore); };
  names[`resolve${kind}`] = (m) => { m.setServers([LOCAL]); m[`resolve${kind}`]('a.test').catch(ignore); };
}
dns.reverse = (m) => { m.setServers([LOCAL]); m.reverse('127.0.0.9', ignore); };
names.reverse = (m) => { m.setServers([LOCAL]); m.reverse('127.0.0.9').catch(ignore); };
dns.Resolver = (m) => { const r = new m.Resolver(); r.setServers([LOCAL]); r.resolve4('b.test', ignore); };
names.Resolver = (m) => { const r = new m.Resolver(); r.setServers([LOCAL]); r.resolve4('b.test').catch(ignore); };

const http = scheme => ({
  get: (m) => { quick(m.get(`${scheme}://${LOCAL}/`)); },
  request: (m) => { quick(m.request(`${scheme}://${LOCAL}/`)).end(); },
  createServer: m => serving(m.createServer()),
  Server: m => serving(new m.Server()),
  Agent: (m) => { quick(m.get({ agent: new m.Agent({ keepAlive: true }), host: '127.0.0.1', port: PORT })); },
});

module.exports = {
  child_process: {
    exec: (m) => { m.exec('true', ignore); },
    execFile: (m) => { m.execFile('/bin/true', ignore); },
    spawn: (m) => { m.spawn('/bin/true').unref(); },
    fork: (m) => { m.fork('/nonexistent/x.js', [], { silent: true, execArgv: [] }); },
    ChildProcess: (m) => { new m.ChildProcess().spawn({ file: '/bin/true', args: ['true'], stdio: 'ignore' }); },
  },
  dgram: {
    _createSocketHandle: (m) => { const h = m._createSocketHandle('127.0.0.1', 0, 'udp4'); return () => h.close(); },
    createSocket: (m) => { const s = m.createSocket('udp4'); s.unref(); return () => s.close(); },
    Socket: (m) => { const s = new m.Socket('udp4'); s.unref(); return () => s.close(); },
  },
  dns,
  'dns/promises': names,
  http: Object.assign(http('http'), {
    ClientRequest: (m) => { quick(new m.ClientRequest({ host: '127.0.0.1', port: PORT })); },
    WebSocket: (m) => { new m.WebSocket(`ws://${LOCAL}/`).onerror = ignore; },
  }),
  https: http('https'),
  http2: {
    connect: (m) => { quick(m.connect(`http://${LOCAL}/`)); },
    createServer: m => serving(m.createServer()),
    createSecureServer: m => serving(m.createSecureServer()),
    performServerHandshake: (m) => { const s = quick(m.performServerHandshake(quick(new PassThrough()))); return () => s.destroy(); },
  },
  net: {
    connect: (m) => { quick(m.connect(PORT, '127.0.0.1')); },
    createConnection: (m) => { quick(m.createConnection(PORT, '127.0.0.1')); },
    createServer: m => serving(m.createServer()),
    Server: m => serving(new m.Server()),
    Socket: (m) => { quick(new m.Socket()).connect(PORT, '127.0.0.1'); },
    BoundSocket: (m) => { const s = new m.BoundSocket(); return () => s.close(); },
    Stream: (m) => { quick(new m.Stream()).connect(PORT, '127.0.0.1'); },
    _createServerHandle: (m) => { const h = m._createServerHandle('127.0.0.1', 0, 4); return () => h.close(); },
  },
  tls: {
    connect: (m) => { quick(m.connect(PORT, '127.0.0.1')); },
    createServer: m => serving(m.createServer()),
    Server: m => serving(new m.Server()),
    TLSSocket: (m) => { const s = quick(new m.TLSSocket()); s.connect(PORT, '127.0.0.1'); },
  },
};
