package api

import (
	"io"
	"strings"
	"testing"
)

func stringReader(text string) io.Reader {
	if text == "" {
		return nil
	}
	return strings.NewReader(text)
}

func readAll(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return string(text)
}
