package main

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// long is a function that answers with 7.9 MB of text, about as much as answers may that are kept.
const long = `function main(req, res) { res.send({ text: 'a'.repeat(7900000), n: Math.random() }) }`

// repeatKey repeats a request with a key and says what is wrong with its answer.
func repeatKey(ctx context.Context, s *server, path, key string, sum [md5.Size]byte) error {
	r, err := http.NewRequestWithContext(ctx, "PUT", s.url+path+"/run", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	if key == "k1" { // else the client asks for gzip
		r.Header.Set("Accept-Encoding", "identity")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got := md5.New()
	if n, err := io.Copy(got, res.Body); err != nil || [md5.Size]byte(got.Sum(nil)) != sum ||
		res.Header.Get("Idempotent-Replayed") != "true" {
		return fmt.Errorf("answered %s with %d bytes: %w", res.Status, n, err)
	}
	return nil
}

// TestManyWhoRepeatALongAnswerTakeLittleMemory has many callers repeat the keys of long answers at the same time, some
// with a connection that they do not read from. All others get theirs, with every store, and the server takes little
// more memory than long answers may that are sent.
func TestManyWhoRepeatALongAnswerTakeLittleMemory(t *testing.T) {
	for store, vars := range idempotencyStores(t) {
		t.Run(store, func(t *testing.T) {
			s := startServer(t, append(vars, "HTTP_ANSWER_MEMORY=64mb", "POOL_SIZE=2", "WORKER_MEMORY_LIMIT=512mb",
				"HTTP_MAX_CONNECTIONS=2000", "CODE_SYNC_TIMEOUT=10s", "CODE_ASYNC_TIMEOUT=1m")...)
			path := "/functions/pay/long"
			put(t, s.url+path, long, `"idempotency":"sync"`)
			put(t, s.url+"/functions/other/short", `function main(req, res) { res.send('short') }`,
				`"idempotency":"sync"`)
			sums := map[string][md5.Size]byte{}
			for _, key := range []string{"k0", "k1"} {
				res, body := s.request(t, "PUT", path+"/run", "{}", "Idempotency-Key", key)
				if res.StatusCode != 200 || len(body) < 7_900_000 {
					t.Fatalf("answered %d with %d bytes: %.200s", res.StatusCode, len(body), body)
				}
				sums[key] = md5.Sum([]byte(body))
			}
			if res, body := s.request(t, "PUT", "/functions/other/short/run", "{}", "Idempotency-Key", "k"); body != `"short"` {
				t.Fatalf("answered %d %s", res.StatusCode, body)
			}
			before := peakMemory(t, s.pid())
			var all sync.WaitGroup
			for range 20 { // who never read, and take all the room of answers that are sent
				s.dialRaw(t, fmt.Sprintf("PUT %s/run HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k0\r\n"+
					"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", path))
			}
			for i := range 250 {
				key := fmt.Sprintf("k%d", i%2)
				all.Go(func() {
					err := repeatKey(t.Context(), s, path, key, sums[key])
					for again := 0; errors.Is(err, io.ErrUnexpectedEOF) && again < 5; again++ {
						// A machine that is so busy that this has read nothing for a second has it cut off like the deaf.
						err = repeatKey(t.Context(), s, path, key, sums[key])
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			for range 10 { // meanwhile
				res, body := s.request(t, "PUT", "/functions/other/short/run", "{}", "Idempotency-Key", "k")
				if body != `"short"` || res.Header.Get("Idempotent-Replayed") != "true" {
					t.Errorf("a short answer: %d %s", res.StatusCode, body)
				}
			}
			all.Wait()
			took := peakMemory(t, s.pid()) - before
			t.Logf("%d MB more than the %d MB before", took>>20, before>>20)
			if took > 300<<20*memoryFactor {
				t.Errorf("they took %d MB", took>>20)
			}
		})
	}
}
