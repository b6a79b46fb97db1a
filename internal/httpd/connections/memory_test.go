package connections

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestBodiesAreBoundedTogether(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Bodies: NewBodies(100_000)})
		var held []*caller
		for range 4 { // 80,000: four fifths, which one address may have
			held = append(held, s.dial(t, 1, post(20_000, 1)))
			<-s.begun
		}
		s.dial(t, 1, post(20_000, 1)).expect(t, http.StatusServiceUnavailable)
		other := s.dial(t, 2, post(10_000, 1)) // which finds a part of the rest
		<-s.begun
		s.dial(t, 2, post(10_000, 1)).expect(t, http.StatusServiceUnavailable)
		if got, want := s.Bodies.Stats(), (MemoryStats{90_000, 100_000, 2}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		held[0].send(t, strings.Repeat("x", 19_999))
		held[0].expect(t, http.StatusOK)
		for _, c := range append(held[1:], other) {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "all memory back", func() bool { return s.Bodies.Stats().Used == 0 })
		s.dial(t, 1, post(80_000, 80_000)).expect(t, http.StatusOK)
		eventually(t, "no peers", func() bool {
			s.Bodies.mu.Lock()
			defer s.Bodies.mu.Unlock()
			return len(s.Bodies.peers) == 0
		})
	})
}

func TestLongHeadersCountAsBodies(t *testing.T) {
	overHTTP1(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Bodies: NewBodies(40_000)})
		const begin = "GET / HTTP/1.1\r\nHost: a\r\nX: "
		held := s.dial(t, 1, begin+strings.Repeat("x", 30_000))
		eventually(t, "them counted", func() bool { return s.Bodies.Stats().Used > 20_000 })
		s.dial(t, 2, begin+strings.Repeat("x", 30_000)).expect(t, http.StatusServiceUnavailable)
		eventually(t, "the memory of the refused one back", func() bool {
			s.Bodies.mu.Lock()
			defer s.Bodies.mu.Unlock()
			return len(s.Bodies.peers) == 1
		})
		s.dial(t, 2, get("/")).expect(t, http.StatusOK)
		held.send(t, "\r\n\r\n")
		held.expect(t, http.StatusOK)
		eventually(t, "all memory back", func() bool { return s.Bodies.Stats().Used == 0 })
	})
}

func TestBodyHasTimeForEachPart(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Body: 50 * time.Millisecond})
		c := s.dial(t, 1, post(Part, 1))
		<-s.begun
		c.expect(t, http.StatusBadRequest)
	})
}

// A body that is read as what is in it is served has its time while it is read, and no other.
func TestPacedBodyHasTimeForEachRead(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		const part = 50 * time.Millisecond
		s := over.start(t, Options{Body: part, Read: part})
		c := s.dial(t, 1, "POST /paced HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx")
		for _, more := range []string{"x", ""} {
			<-s.begun
			time.Sleep(4 * part) // in which the handler reads nothing
			s.hold <- struct{}{}
			c.send(t, more)
		}
		c.expect(t, http.StatusOK)
		silent := s.dial(t, 1, "POST /paced HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx")
		for range 2 {
			<-s.begun
			s.hold <- struct{}{}
		}
		silent.expect(t, http.StatusBadRequest)
	})
}

func TestCallMayTakeLongerThanItsRequest(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		const read = 50 * time.Millisecond
		s := over.start(t, Options{Read: read})
		for _, text := range []string{get("/hold"), "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"} {
			c := s.dial(t, 1, text)
			<-s.begun
			select {
			case <-s.left:
				t.Fatal("the call was taken for one whose caller has left")
			case <-time.After(4 * read):
			}
			s.hold <- struct{}{}
			c.expect(t, http.StatusOK)
		}
	})
}

func TestAnswersThatAreNotTakenMakeRoomForOthers(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Answers: NewAnswers(longAnswer + longAnswer/2)})
		deaf := s.dial(t, 1, get("/long"))
		<-s.begun
		eventually(t, "it on its way", func() bool { return s.Answers.Stats().Used > 0 })
		s.dial(t, 1, get("/long")).expect(t, http.StatusOK)
		if status := deaf.status(); status != 0 {
			t.Errorf("who did not read got all: %d", status)
		}
		eventually(t, "all memory back", func() bool { return s.Answers.Stats().Used == 0 })
		if got := s.Answers.Stats().Refused; got != 1 {
			t.Errorf("%d are cut off", got)
		}
	})
}

func TestAnswersThatAreTakenWaitForEachOther(t *testing.T) {
	overEach(t, func(t *testing.T, over transport) {
		s := over.start(t, Options{Answers: NewAnswers(longAnswer)}) // one at a time
		done := make(chan int)
		for range 2 {
			c := s.dial(t, 1, get("/long"))
			go func() { done <- c.status() }()
		}
		for range 2 {
			if status := <-done; status != http.StatusOK {
				t.Error("an answer was cut off")
			}
		}
	})
}

func TestAnswersThatWaitAreBoundedToo(t *testing.T) {
	a := NewAnswers(100)
	left, right := stuck(t), stuck(t)
	first := a.take(left.cut, time.Hour, 100)
	a.take(right.cut, time.Hour, 200) // would wait with more than the limit
	if _, ok := a.held[first]; ok || a.cut != 1 || a.used != 200 {
		t.Errorf("%+v", a.Stats())
	}
}

// stuck is a connection that nobody reads from.
func stuck(t *testing.T) *Conn {
	t.Helper()
	s := start(t, Options{})
	s.dial(t, 1, "")
	s.awaitOpen(t, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.places.victim(0, idle)
}

func TestWholeAnswersHaveOneTimeout(t *testing.T) {
	s := start(t, Options{WholeAnswers: true, Write: 200 * time.Millisecond})
	c := s.dial(t, 1, get("/long"))
	<-s.begun
	ctx, cancel := context.WithTimeout(t.Context(), testPatience)
	defer cancel()
	for got := 0; ctx.Err() == nil; { // a part each time, just fast enough for a timeout of its own
		n, err := c.Read(make([]byte, Part))
		if got += n; err != nil && got < longAnswer {
			return
		}
		if got >= longAnswer {
			t.Fatal("a slow caller got all of a long answer")
		}
		time.Sleep(50 * time.Millisecond)
	}
}
