package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/httpd/connections"
)

// Connections is what to tell of those who are connected.
type Connections struct {
	// Ports are the states of the ports by name, Bodies and Answers that of the memory for what passes through them.
	Ports           map[string]func() connections.Stats
	Bodies, Answers func() connections.MemoryStats
	// Expires is when the certificate of the server does; nil without one.
	Expires func() time.Time
}

// WatchConnections adds the state of the ports, read at each scrape. Call it at most once.
func (m *Metrics) WatchConnections(c Connections) { m.registry.MustRegister(connectionState(c)) }

var (
	openDesc = prometheus.NewDesc(
		"functions_http_connections",
		"Connections of callers that are open, and requests over HTTP/2 beyond one on each.",
		[]string{"port"},
		nil,
	)
	mostDesc = prometheus.NewDesc("functions_http_connections_limit",
		"The most connections that there may be apart from the reserve, 0 for any number.", []string{"port"}, nil)
	fullDesc = prometheus.NewDesc("functions_http_connections_refused_total",
		"Requests answered 503 since all connections were in use.", []string{"port"}, nil)
	endedDesc = prometheus.NewDesc("functions_http_connections_ended_total",
		"Connections ended to make place for others.", []string{"port"}, nil)
	acceptDesc = prometheus.NewDesc("functions_http_accept_errors_total",
		"Connections that could not be accepted, such as for lack of descriptors.", []string{"port"}, nil)
	handshakeDesc = prometheus.NewDesc("functions_http_tls_handshake_errors_total",
		"Connections that did not get to speak TLS.", []string{"port"}, nil)
	certificateDesc = prometheus.NewDesc("functions_http_tls_certificate_expires_seconds",
		"When the certificate that callers see expires, in seconds since 1970.", nil, nil)
	bodyBytesDesc = prometheus.NewDesc(
		"functions_http_body_bytes",
		"Memory for requests that are received or served.",
		nil,
		nil,
	)
	bodyLimitDesc = prometheus.NewDesc(
		"functions_http_body_limit_bytes",
		"The most memory that there may be for them.",
		nil,
		nil,
	)
	bodiesDesc = prometheus.NewDesc(
		"functions_http_bodies_refused_total",
		"Requests refused for lack of that memory.",
		nil,
		nil,
	)
	answerBytesDesc = prometheus.NewDesc(
		"functions_http_answer_bytes",
		"Memory of long answers that callers have not yet taken.",
		nil,
		nil,
	)
	answerLimitDesc = prometheus.NewDesc(
		"functions_http_answer_limit_bytes",
		"The most memory that there may be for them.",
		nil,
		nil,
	)
	answersDesc = prometheus.NewDesc(
		"functions_http_answers_cut_total",
		"Answers cut off, for lack of that memory, since they were taken slowly.",
		nil,
		nil,
	)
)

// connectionState is a prometheus.Collector.
type connectionState Connections

// Describe implements prometheus.Collector.
func (connectionState) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		openDesc, mostDesc, fullDesc, endedDesc, acceptDesc, handshakeDesc, certificateDesc,
		bodyBytesDesc, bodyLimitDesc, bodiesDesc, answerBytesDesc, answerLimitDesc, answersDesc,
	} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c connectionState) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value int64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), labels...)
	}
	counter := func(desc *prometheus.Desc, value uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), labels...)
	}
	for port, stats := range c.Ports {
		s := stats()
		gauge(openDesc, int64(s.Open), port)
		gauge(mostDesc, int64(s.Limit), port)
		counter(fullDesc, s.Refused, port)
		counter(endedDesc, s.Ended, port)
		counter(acceptDesc, s.AcceptErrors, port)
		counter(handshakeDesc, s.HandshakeErrors, port)
	}
	if c.Expires != nil {
		gauge(certificateDesc, c.Expires().Unix())
	}
	bodies, answers := c.Bodies(), c.Answers()
	gauge(bodyBytesDesc, bodies.Used)
	gauge(bodyLimitDesc, bodies.Limit)
	counter(bodiesDesc, bodies.Refused)
	gauge(answerBytesDesc, answers.Used)
	gauge(answerLimitDesc, answers.Limit)
	counter(answersDesc, answers.Refused)
}
