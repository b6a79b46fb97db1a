package logs

import (
	"bytes"
	"compress/zlib"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// gelfQueue is how many messages may wait to be sent; more are lost, as the network may lose any.
const gelfQueue = 1024

// lossReport is the time between two reports of lost messages.
const lossReport = time.Minute

// gelfSender compresses and sends messages in a goroutine of its own.
type gelfSender struct {
	size    int
	logger  *slog.Logger
	targets []*gelfTarget
	queue   chan *gelfMessage
	lost    atomic.Int64 // messages since the last report
	// reported is when that was; the goroutine's own.
	reported time.Time
	quit     chan struct{}
	closing  sync.Once
	done     chan struct{}
}

func newGELFSender(addresses []string, size int, logger *slog.Logger) *gelfSender {
	s := &gelfSender{
		size:   size,
		logger: logger,
		queue:  make(chan *gelfMessage, gelfQueue),
		quit:   make(chan struct{}),
		done:   make(chan struct{}),
	}
	for _, address := range addresses {
		s.targets = append(s.targets, &gelfTarget{address: address})
	}
	go s.run()
	return s
}

// send hands m to the goroutine and never waits.
func (s *gelfSender) send(m *gelfMessage) {
	select {
	case s.queue <- m:
	default:
		s.lost.Add(1)
	}
}

func (s *gelfSender) close() {
	s.closing.Do(func() { close(s.quit) })
	<-s.done
}

func (s *gelfSender) run() {
	defer close(s.done)
	defer s.disconnect()
	for {
		select {
		case m := <-s.queue:
			s.handle(m)
		case <-s.quit:
			s.drain()
			return
		}
	}
}

// drain sends what waits.
func (s *gelfSender) drain() {
	for {
		select {
		case m := <-s.queue:
			s.handle(m)
		default:
			return
		}
	}
}

func (s *gelfSender) disconnect() {
	for _, t := range s.targets {
		t.close()
	}
}

// handle sends m and reports losses, its own and those of a full queue, once in a while.
func (s *gelfSender) handle(m *gelfMessage) {
	err := s.deliver(m)
	if err != nil {
		s.lost.Add(1)
	}
	if s.lost.Load() == 0 || time.Since(s.reported) < lossReport {
		return
	}
	s.reported = time.Now()
	s.logger.Warn("Logs of functions could not be sent", "messages", s.lost.Swap(0), "error", err)
}

// deliver sends m to every target.
func (s *gelfSender) deliver(m *gelfMessage) error {
	datagrams, err := chunks(deflate(m.appendJSON(nil)), s.size)
	if err != nil {
		return err
	}
	var faults []error
	for _, t := range s.targets {
		faults = append(faults, t.send(datagrams))
	}
	return errors.Join(faults...)
}

// deflate compresses text in the zlib format (RFC 1950).
func deflate(text []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(text) // a bytes.Buffer takes all
	_ = w.Close()
	return out.Bytes()
}
