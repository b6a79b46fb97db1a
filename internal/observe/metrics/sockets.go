package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstage/functions/internal/httpd/sockets"
)

// WatchSockets adds the state of WebSocket connections, read at each scrape. Call it at most once.
func (m *Metrics) WatchSockets(stats func() sockets.Stats) {
	m.registry.MustRegister(socketState(stats))
}

var (
	socketsDesc = prometheus.NewDesc(
		"functions_websocket_connections", "WebSocket connections that are open.", nil, nil)
	socketsLimitDesc = prometheus.NewDesc(
		"functions_websocket_connections_limit", "The most WebSocket connections that there may be.", nil, nil)
	socketsOpenedDesc = prometheus.NewDesc(
		"functions_websocket_opened_total", "WebSocket connections that were opened.", nil, nil)
	socketsRefusedDesc = prometheus.NewDesc("functions_websocket_connections_refused_total",
		"WebSocket connections refused since there was no place for one more.", nil, nil)
	socketsEndedDesc = prometheus.NewDesc("functions_websocket_ended_total",
		"WebSocket connections that have ended: closed by the caller or by the server, or lost.", []string{"by"}, nil)
	socketMessagesDesc = prometheus.NewDesc("functions_websocket_messages_total",
		"Messages over WebSocket connections: received from callers, sent to them, or dropped for lack of room.",
		[]string{"what"}, nil)
	socketFailuresDesc = prometheus.NewDesc("functions_websocket_calls_failed_total",
		"Calls for messages and ends of WebSocket connections that have failed.", nil, nil)
	socketBytesDesc = prometheus.NewDesc("functions_websocket_send_bytes",
		"Memory of messages that callers have not yet taken.", nil, nil)
	socketBytesLimitDesc = prometheus.NewDesc(
		"functions_websocket_send_limit_bytes", "The most memory that there may be for them.", nil, nil)
)

// socketState is a prometheus.Collector.
type socketState func() sockets.Stats

// Describe implements prometheus.Collector.
func (socketState) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		socketsDesc, socketsLimitDesc, socketsOpenedDesc, socketsRefusedDesc, socketsEndedDesc, socketMessagesDesc,
		socketFailuresDesc, socketBytesDesc, socketBytesLimitDesc,
	} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (stats socketState) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value int64) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value))
	}
	counter := func(desc *prometheus.Desc, value uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), labels...)
	}
	s := stats()
	gauge(socketsDesc, int64(s.Open))
	gauge(socketsLimitDesc, int64(s.Limit))
	gauge(socketBytesDesc, s.Waiting)
	gauge(socketBytesLimitDesc, s.WaitingLimit)
	counter(socketsOpenedDesc, s.Opened)
	counter(socketsRefusedDesc, s.Refused)
	counter(socketsEndedDesc, s.ByCaller, "caller")
	counter(socketsEndedDesc, s.ByServer, "server")
	counter(socketsEndedDesc, s.Lost, "lost")
	counter(socketMessagesDesc, s.Received, "received")
	counter(socketMessagesDesc, s.Sent, "sent")
	counter(socketMessagesDesc, s.Dropped, "dropped")
	counter(socketFailuresDesc, s.Failed)
}
