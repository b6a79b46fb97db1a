package connections

import "net/http"

// preface is what every caller sends first who speaks HTTP/2 (RFC 9113, section 3.4). Package net/http reads it alone,
// so no other byte comes with its last one.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

const (
	// maxStreams is how many requests one connection may have at a time.
	maxStreams = 100
	// window is how much of their bodies may have come that nobody has read yet, for each connection, in bytes.
	window = 256 << 10
)

func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true) // with TLS too: see Conn.secure
	return p
}

func http2Limits() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerConnection: window, MaxReceiveBufferPerStream: window,
	}
}

// isPreface says whether the caller speaks HTTP/2, by the bytes that come next. From then on nothing that it sends is
// taken for headers.
func (c *Conn) isPreface(p []byte) bool {
	rest := preface[c.preface:]
	if len(p) > len(rest) || string(p) != rest[:len(p)] {
		c.preface = -1
		return false
	}
	if c.preface += len(p); c.preface < len(preface) {
		return false
	}
	c.preface = -1
	c.request.begun = true
	c.request.names.reset()
	c.http2.Store(true)
	c.inHeader.Store(false)
	return true
}
