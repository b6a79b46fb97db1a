package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// lateCode answers with its body and has a request go on after that.
const lateCode = `function main(req, res) {
  Backstage.waitUntil(new Promise(done => require('request')(req.body.url, (error, answer, body) => {
    console.log('after the answer: ' + body); done() })))
  res.send(req.body)
}`

// lateSite tells asked of each request and answers it when it may; those of /cut may come or not.
func lateSite(t *testing.T) (url string, asked, may chan struct{}) {
	asked, may = make(chan struct{}, 10), make(chan struct{}, 10)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cut" {
			return
		}
		asked <- struct{}{}
		select {
		case <-may:
			_, _ = io.WriteString(w, r.URL.Path)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(site.Close)
	return site.URL, asked, may
}

// Work goes on after the answer of each step of a pipeline, and after the caller has left. CANCEL_ON_DISCONNECT ends
// calls of those who leave before their answer.
func TestWorkGoesOnAfterAnswersOnEveryRuntime(t *testing.T) {
	url, asked, may := lateSite(t)
	host := strings.TrimPrefix(url, "http://")
	s := startServer(t, runtimesVariable(t), "EGRESS_ALLOW="+host, "CANCEL_ON_DISCONNECT=true")
	for _, name := range runtimes {
		put(t, s.url+"/functions/late/"+name, lateCode, fmt.Sprintf(`"runtime":%q`, name))
		put(t, s.url+"/functions/cut/"+name, lateCode, fmt.Sprintf(`"runtime":%q,"afterAnswer":"cut"`, name))
		await := func(namespace, text string) {
			t.Helper()
			s.logs.await(t, fmt.Sprintf(`\[namespace:%s, id:%s\] (%s)`, namespace, name, text))
		}
		t.Run(name+"/pipeline", func(t *testing.T) {
			body := fmt.Sprintf(`{"url":"%s/step"}`, url)
			status, answer := request(t, "PUT", s.url+"/functions/pipeline?"+stepsQuery("late/"+name, 3), body)
			if status != http.StatusOK || answer != body {
				t.Fatalf("answered %d %s", status, answer)
			}
			for range 3 {
				<-asked // all of them go on: none has its answer
			}
			for range 3 {
				may <- struct{}{}
				await("late", "after the answer: /step")
			}
		})
		t.Run(name+"/cut step", func(t *testing.T) {
			body := fmt.Sprintf(`{"url":"%s/cut"}`, url)
			status, answer := request(t, "PUT", s.url+"/functions/pipeline?"+stepsQuery("cut/"+name, 2), body)
			if status != http.StatusOK || answer != body {
				t.Fatalf("answered %d %s", status, answer)
			}
			for range 2 {
				await("cut", ".* cut after the answer: afterAnswer is cut; await it before the answer")
			}
		})
		t.Run(name+"/caller leaves", func(t *testing.T) {
			body := fmt.Sprintf(`{"url":"%s/left"}`, url)
			conn := s.dialRaw(t, fmt.Sprintf("PUT /functions/late/%s/run HTTP/1.1\r\nHost: a\r\n"+
				"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", name, len(body), body))
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(response.Body)
			if err != nil || string(answer) != body {
				t.Fatalf("answered %s, %v", answer, err)
			}
			<-asked
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
			may <- struct{}{}
			await("late", "after the answer: /left")
		})
	}
	s.awaitMetric(t, `functions_after_answer_total{end="refused"} 8`)
	s.awaitMetric(t, `functions_after_answer_total{end="finished"} 16`)
}
