package main

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// batchInputs is how many inputs each batch has that is measured.
const batchInputs = 2000

// BenchmarkBatch measures a batch beside as many calls that one caller makes one after the other, and beside those of
// 16 connections.
func BenchmarkBatch(b *testing.B) {
	for b.Loop() {
		s := startBenched(b)
		s.hello(b, 16, "")
		var single, batched done
		for range 5 {
			began := time.Now()
			for range batchInputs {
				start := time.Now()
				s.run(b, benchClient, helloPath, helloBody, helloAnswer)
				single.took = append(single.took, time.Since(start))
			}
			single.elapsed += time.Since(began)
			s.timeBatch(b, &batched)
		}
		floor := "calls one after the other"
		benchmarks.add(b, floor, single.measured(b), "")
		benchmarks.add(b, "inputs of a batch", batched.measured(b), floor)
		benchmarks.add(b, "calls on 16 connections", s.loadHello(b, 16, loadTime), floor)
	}
}

// timeBatch sends a batch and notes when the line of each input came, counted from the line before.
func (s *server) timeBatch(b *testing.B, d *done) {
	b.Helper()
	inputs := strings.NewReader(strings.Repeat(helloBody+"\n", batchInputs))
	request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.url+helloPath+"/batch", inputs)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	began := time.Now()
	response, err := benchClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	before, lines := began, 0
	for each := bufio.NewScanner(response.Body); each.Scan(); lines++ {
		if want := fmt.Sprintf(`"body":%s`, helloAnswer); !strings.Contains(each.Text(), want) {
			b.Fatalf("%s, not %s", each.Text(), want)
		}
		now := time.Now()
		d.took = append(d.took, now.Sub(before))
		before = now
	}
	d.elapsed += time.Since(began)
	if lines != batchInputs {
		b.Fatalf("%d lines, not %d", lines, batchInputs)
	}
}
