package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/backstage/functions/internal/cpulimit"
	"github.com/backstage/functions/internal/function"
)

// Large records and long lists are read a few at a time, so that they leave processors to calls. Small ones do not
// wait for them.
func TestLargeReadsWaitForAToken(t *testing.T) {
	s := openHere(t)
	put := func(namespace, id, code string) function.Ref {
		f := &function.Function{Ref: function.Ref{Namespace: namespace, ID: id}, Code: code}
		if _, err := s.Put(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		return f.Ref
	}
	s.Reading = cpulimit.New(2)
	large, small := put("ns", "large", strings.Repeat("x", smallRead)), put("ns", "small", "1")
	s.db.NoSync = true
	for i := range smallRead/listedBytes + 2 {
		put("many", fmt.Sprint(i), "1")
	}
	get := func(ref function.Ref) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := s.Get(ctx, ref)
			return err
		}
	}
	list := func(namespace string) func(context.Context) error {
		return func(ctx context.Context) error {
			page, err := s.List(ctx, function.Query{Namespace: namespace, Page: 1, PerPage: 10})
			if err == nil && len(page.Items) == 0 {
				err = errors.New("an empty list")
			}
			return err
		}
	}
	for range cap(s.Reading) {
		s.Reading <- struct{}{} // others read
	}
	for name, read := range map[string]func(context.Context) error{"get": get(small), "list": list("ns")} {
		if err := read(t.Context()); err != nil {
			t.Errorf("%s of what is small: %v", name, err)
		}
	}
	left := errors.New("the caller left")
	for name, read := range map[string]func(context.Context) error{
		"get": get(large), "list": list("many"), "list of all": list(""),
	} {
		ctx, leave := context.WithCancelCause(t.Context())
		done := make(chan error)
		go func() { done <- read(ctx) }()
		for s.readers.Idle() { // before it waits
			select {
			case err := <-done:
				t.Fatalf("%s did not wait: %v", name, err)
			default:
				runtime.Gosched()
			}
		}
		leave(left)
		if err := <-done; !errors.Is(err, left) {
			t.Errorf("%s without a token: %v", name, err)
		}
		go func() { done <- read(t.Context()) }()
		<-s.Reading
		if err := <-done; err != nil {
			t.Errorf("%s with a token: %v", name, err)
		}
		s.Reading <- struct{}{}
	}
	if !s.readers.Idle() || len(s.Reading) != cap(s.Reading) {
		t.Error("nobody reads, but somebody waits")
	}
}
