package secrets

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/sandbox"
)

// canary is a value with characters that change in each encoding.
const canary = "sk+live/ä\"b\\c'(d) e&f"

func TestValuesAreMaskedInEveryForm(t *testing.T) {
	s := newSet([]string{"A", "B"}, []string{canary, "other-value"})
	quoted, err := json.Marshal(map[string]string{"key": canary})
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.ReplaceAll(string(quoted), `\u0026`, "&")
	for name, text := range map[string]string{
		"as it is": "x" + canary + "y", "twice": canary + canary, "the other": "other-value",
		"in JSON": plain, "in a query": "?k=" + url.QueryEscape(canary) + "&",
		"by encodeURIComponent": "?k=sk%2Blive%2F%C3%A4%22b%5Cc'(d)%20e%26f&",
		"in hexadecimal":        hex.EncodeToString([]byte(canary)),
		"in base64":             base64.StdEncoding.EncodeToString([]byte(canary)),
		"in base64 for URLs":    base64.RawURLEncoding.EncodeToString([]byte(canary)),
		"a login in base64":     base64.StdEncoding.EncodeToString([]byte("user:" + canary)),
		"another login":         base64.StdEncoding.EncodeToString([]byte("user1:" + canary)),
		"and another":           base64.StdEncoding.EncodeToString([]byte("user12:" + canary)),
		"with an end":           base64.StdEncoding.EncodeToString([]byte("user12:" + canary + "@host")),
	} {
		masked := s.Text(text)
		if !strings.Contains(masked, Mask) {
			t.Errorf("%s is shown: %s", name, masked)
		}
		for _, form := range append(encodingsOf(canary), canary, "other-value") {
			if len(form) >= MinMasked && strings.Contains(masked, form) {
				t.Errorf("%s is shown: %s", name, masked)
			}
		}
	}
	for _, text := range []string{"", "sk+live", "other", "***"} {
		if got := s.Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestShortValuesAreShown(t *testing.T) {
	if s := newSet([]string{"A"}, []string{"1234567"}); s.Text("1234567") != "1234567" || s.masker != nil {
		t.Error("seven bytes are masked")
	}
	if s := newSet([]string{"A"}, []string{"12345678"}); s.Text("a12345678b") != "a***b" {
		t.Error("eight bytes are shown")
	}
}

func TestTheLongerValueIsMaskedAsAWhole(t *testing.T) {
	s := newSet([]string{"A", "B"}, []string{"password", "password-longer"})
	if got := s.Text("a password-longer and a password"); got != "a *** and a ***" {
		t.Errorf("got %q", got)
	}
}

func TestEachLineOfAValueIsMasked(t *testing.T) {
	s := newSet([]string{"PEM"}, []string{"-----BEGIN KEY-----\r\nMIIBVgIBADAN\n  short\nBgkqhkiG9w0B\n"})
	for _, line := range []string{"MIIBVgIBADAN", "key: BgkqhkiG9w0B", "-----BEGIN KEY-----"} {
		if got := s.Text(line); !strings.Contains(got, Mask) || strings.ContainsAny(got, "MBI") {
			t.Errorf("%q became %q", line, got)
		}
	}
	if got := s.Text("short"); got != "short" {
		t.Errorf("got %q", got)
	}
}

func TestMaskingHasALimit(t *testing.T) {
	lines := strings.Repeat("0123456789\n", function.MaxSecretBytes/11)
	for i := range lines {
		if lines[i] == '\n' && i%3 == 0 {
			lines = lines[:i-3] + "abc" + lines[i:]
		}
	}
	var names, values []string
	for i := range function.MaxSecretNames {
		names = append(names, string(rune('A'+i)))
		values = append(values, string(rune('A'+i))+lines[1:])
	}
	if n := len(patternsOf(values)); n > maxPatterns {
		t.Errorf("%d patterns", n)
	}
	s := newSet(names, values)
	for _, value := range values {
		if got := s.Text(value); got != Mask {
			t.Fatalf("got %.50q", got)
		}
	}
}

func TestMaskedJSONStaysJSON(t *testing.T) {
	s := newSet([]string{"A", "B"}, []string{"12345678", `quote"here`})
	for text, want := range map[string]string{
		`{"a":"x12345678"}`: `{"a":"x***"}`, `{"a":12345678}`: `"***"`, `"quote\"here"`: `"***"`, `[1]`: `[1]`,
	} {
		if got := string(s.JSON(json.RawMessage(text))); got != want {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func TestErrorsAreMaskedAndKeepWhatTheyAre(t *testing.T) {
	s := newSet([]string{"A"}, []string{"the-value"})
	thrown := &sandbox.FunctionError{
		Status: 418, Message: "m the-value", Text: "t the-value", Stack: "s the-value", Frames: "f the-value",
	}
	death := &sandbox.DeathError{Reason: sandbox.ReasonExit, Detail: "d the-value"}
	for _, err := range []error{thrown, death, &sandbox.StreamError{Err: thrown}, &sandbox.StreamError{Err: death}} {
		masked := s.Error(err)
		if strings.Contains(masked.Error(), "the-value") || !strings.Contains(masked.Error(), Mask) {
			t.Errorf("got %v", masked)
		}
		if inner, ok := errors.AsType[*sandbox.FunctionError](masked); ok &&
			(inner.Message != "m ***" || inner.Stack != "s ***" || inner.Frames != "f ***" || inner.Status != 418) {
			t.Errorf("got %+v", inner)
		}
	}
	if thrown.Message != "m the-value" || death.Detail != "d the-value" {
		t.Error("the error itself was changed")
	}
	if s.Error(nil) != nil || s.Error(sandbox.ErrClosed) != sandbox.ErrClosed { //nolint:errorlint // the same one
		t.Error("another error was changed")
	}
	var none *Set
	if none.Text("a") != "a" || none.Error(thrown) != error(thrown) { //nolint:errorlint // the same one
		t.Error("without secrets something was changed")
	}
}

func TestSpansAreMasked(t *testing.T) {
	s := newSet([]string{"A"}, []string{"the-value"})
	given := sandbox.Span{
		Number: 1, Name: "get the-value", Tags: []sandbox.Tag{{Key: "url", Value: "?k=the-value"}, {Key: "n", Value: 1.5}},
	}
	got := s.Span(given)
	if got.Name != "get ***" || got.Tags[0].Value != "?k=***" || got.Tags[1].Value != 1.5 || got.Number != 1 {
		t.Errorf("got %+v", got)
	}
	if given.Tags[0].Value != "?k=the-value" {
		t.Error("the span itself was changed")
	}
}

func FuzzMask(f *testing.F) {
	f.Add("the-value", "before", "after")
	f.Add(canary, "", "=")
	f.Fuzz(func(t *testing.T, value, before, after string) {
		if ValueFault(value) != "" || len(value) < MinMasked || len(value) > maxEncoded {
			return
		}
		s := newSet([]string{"A"}, []string{value})
		text := before + value + after
		if !strings.Contains(before, Mask) && !strings.Contains(s.Text(text), Mask) {
			t.Errorf("%q is shown in %q", value, s.Text(text))
		}
		encoded := base64.StdEncoding.EncodeToString([]byte(text))
		if !strings.Contains(s.Text(encoded), Mask) {
			t.Errorf("%q is shown in %q", value, encoded)
		}
	})
}
