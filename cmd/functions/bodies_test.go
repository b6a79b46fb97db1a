package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// sendBytes makes a request whose length is not told; header holds names and values alternately.
func sendBytes(t *testing.T, method, url string, body io.Reader, header ...string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, io.MultiReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// bodiesArrive has a function tell what it got of bodies of any kind.
func bodiesArrive(t *testing.T, url, runtime string) {
	const code = `function main(req, res) {
  const { createHash, createHmac } = require('crypto')
  const hash = () => createHash('sha256').update(req.rawBody).digest('hex')
  const signed = () => createHmac('sha256', "It's a Secret to Everybody").update(req.rawBody).digest('hex')
  const answers = { hash, signed, json: () => req.json(), form: () => req.form().get('a'), body: () => req.body, path: () => req.path }
  res.send(answers[req.query.answer]())
}`
	every := make([]byte, 0, 1<<16)
	for i := range 1 << 16 {
		every = append(every, byte(i), byte(i>>8))
	}
	every = every[:90<<10]
	sum := func(content []byte) string {
		hash := sha256.Sum256(content)
		return `"` + hex.EncodeToString(hash[:]) + `"`
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte("plain")); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"raw", "auto", "json"} {
		put(t, url+form, code, runtime+`,"globals":"web","body":"`+form+`"`)
	}
	// The signature is that of GitHub's documentation of webhooks.
	const github = `"757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"`
	for i, row := range []struct {
		form, answer string
		sent         []byte
		header       []string
		status       int
		want         string
	}{
		{"raw", "hash", every, nil, 200, sum(every)},
		{"raw", "hash", nil, nil, 200, sum(nil)},
		{"raw", "hash", zipped.Bytes(), []string{"Content-Encoding", "gzip"}, 200, sum(zipped.Bytes())},
		{"raw", "signed", []byte("Hello, World!"), []string{"Content-Type", "application/json"}, 200, github},
		{"raw", "json", []byte(` {"a": "é"}`), []string{"Content-Type", "application/json"}, 200, `{"a":"é"}`},
		{"raw", "json", []byte(`{"a"`), nil, 400, "the body is not JSON"},
		{"raw", "hash", make([]byte, 100<<10+1), nil, 413, "request entity too large"},
		{"auto", "hash", zipped.Bytes(), []string{"Content-Encoding", "gzip"}, 200, sum([]byte("plain"))},
		{"auto", "body", []byte(`{"a":1}`), []string{"Content-Type", "application/cloudevents+json"}, 200, `{"a":1}`},
		{"auto", "hash", every, []string{"Content-Type", "image/png"}, 200, sum(every)},
		{"auto", "form", []byte("a=1"), []string{"Content-Type", "application/x-www-form-urlencoded"}, 200, `"1"`},
		{"auto", "form", []byte(`{"a":1}`), []string{"Content-Type", "application/json"}, 400, "the body is not a form"},
		{"auto", "form", nil, nil, 400, "the body is not a form"},
		{"json", "body", every, []string{"Content-Type", "image/png"}, 200, `{}`},
		{"json", "body", []byte(`{"a":1}`), []string{"Content-Type", "application/json"}, 200, `{"a":1}`},
	} {
		status, answer := sendBytes(t, "POST", url+row.form+"/run?answer="+row.answer, bytes.NewReader(row.sent), row.header...)
		if status != row.status || !strings.Contains(answer, row.want) {
			t.Errorf("row %d, %s of %q: %d %.200s, want %s", i, row.answer, row.form, status, answer, row.want)
		}
	}
	status, answer := sendBytes(t, "GET", url+"raw/run/a/b%20c?answer=path", http.NoBody)
	if got := fmt.Sprintf("%d %s", status, answer); got != `200 "/a/b%20c"` {
		t.Errorf("the path below is %s", got)
	}
}
