package sandbox

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// withTexts is an Invocation that is valid but for what change does.
func withTexts(change func(*Invocation)) *Invocation {
	object := json.RawMessage(`{"a":"b"}`)
	inv := &Invocation{Key: "key", Env: object, Outgoing: object, Request: Request{Header: object, Query: object, HTTP: object, Body: json.RawMessage(" 1 ")}}
	change(inv)
	return inv
}

func TestValidateNamesEachFault(t *testing.T) {
	spliced := json.RawMessage(`1,"type":"x"`)
	for want, change := range map[string]func(*Invocation){
		"Key is empty":             func(inv *Invocation) { inv.Key = "" },
		"Kind 2 is not":            func(inv *Invocation) { inv.Kind = compile },
		"AsyncTimeout -1s":         func(inv *Invocation) { inv.AsyncTimeout = -time.Second },
		"StreamTotal -1s":          func(inv *Invocation) { inv.StreamTotal = -time.Second },
		"StreamUnread -1s":         func(inv *Invocation) { inv.StreamUnread = -time.Second },
		"CPU -1":                   func(inv *Invocation) { inv.CPU = -1 },
		"CPU NaN":                  func(inv *Invocation) { inv.CPU = math.NaN() },
		"with HasRaw true":         func(inv *Invocation) { inv.Request.HasRaw = true },
		"with HasRaw false":        func(inv *Invocation) { inv.Request.Raw = []byte("x") },
		"Request.HTTP is not JSON": func(inv *Invocation) { inv.Request.HTTP = spliced },
		"Depth -1":                 func(inv *Invocation) { inv.Depth = -1 },
		"Request.Body is not JSON, from byte 1 on": func(inv *Invocation) { inv.Request.Body = spliced },
		"Request.Header is not JSON":               func(inv *Invocation) { inv.Request.Header = spliced },
		"Request.Query is not JSON":                func(inv *Invocation) { inv.Request.Query = spliced },
		"Env is not JSON":                          func(inv *Invocation) { inv.Env = spliced },
		"Outgoing is not JSON":                     func(inv *Invocation) { inv.Outgoing = spliced },
		"Env is not a JSON object":                 func(inv *Invocation) { inv.Env = json.RawMessage(`["{}"]`) },
		"Request.Body is nested":                   func(inv *Invocation) { inv.Request.Body = json.RawMessage(strings.Repeat("[", mostLevels+1)) },
	} {
		if err := withTexts(change).Validate(); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if err := withTexts(func(*Invocation) {}).Validate(); err != nil {
		t.Error(err)
	}
	if err := (&Invocation{Key: "key"}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestMarksAreOfTheTextsThatWereThere(t *testing.T) {
	broken := json.RawMessage(`1,"type":"x"`)
	inv := withTexts(func(inv *Invocation) { inv.Request.Body = broken }).MarkValid()
	if err := inv.Validate(); err != nil {
		t.Fatalf("marked texts were read: %v", err)
	}
	for name, change := range map[string]func(*Invocation){
		"another text": func(inv *Invocation) { inv.Request.Body = json.RawMessage(string(broken)) },
		"part of it":   func(inv *Invocation) { inv.Request.Body = inv.Request.Body[:2] },
		"in another":   func(inv *Invocation) { inv.Env = inv.Request.Body },
	} {
		again := *inv
		change(&again)
		if err := again.Validate(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestInvokeRefusesWhatIsNoInvocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := fakePool(t, fakeConfig(1, 0), &fakeStarter{})
		inv := withTexts(func(inv *Invocation) { inv.Request.Body = json.RawMessage(`1,"type":"x"`) })
		if _, err := pool.Invoke(t.Context(), inv); !errors.Is(err, ErrInvalid) {
			t.Errorf("got %v", err)
		}
	})
}

func BenchmarkValidateMarked(b *testing.B) {
	inv := withTexts(func(*Invocation) {}).MarkValid()
	for b.Loop() {
		if err := inv.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}
