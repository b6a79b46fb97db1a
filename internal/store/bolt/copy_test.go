package bolt_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/backstage/functions/internal/function"
	"github.com/backstage/functions/internal/store/bolt"
)

func TestACopyIsAsOfOneMomentHoweverLongItIsRead(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	const functions = 20
	write := func(number int) {
		for i := range functions {
			if _, err := s.Put(t.Context(), numbered(fmt.Sprint(i), number)); err != nil {
				t.Error(err)
				return
			}
		}
	}
	write(0)
	stop := make(chan struct{})
	var writers sync.WaitGroup
	writers.Go(func() {
		for number := 1; ; number++ {
			select {
			case <-stop:
				return
			default:
				write(number)
			}
		}
	})
	for round := range 5 {
		copied, size, err := s.Copy(t.Context())
		must(t, err)
		write(1000) // the copy holds up nobody
		text, err := io.ReadAll(copied)
		if err != nil || int64(len(text)) != size {
			t.Fatalf("read %d bytes of %d, %v", len(text), size, err)
		}
		must(t, copied.Close())
		restored := filepath.Join(t.TempDir(), fmt.Sprint(round))
		must(t, os.Mkdir(restored, 0o700))
		file := filepath.Join(restored, "functions.db")
		must(t, os.WriteFile(file, text, 0o600))
		_, err = bolt.CheckFile(file)
		must(t, err)
		again := open(t, restored)
		page, err := again.List(t.Context(), function.Query{Page: 1, PerPage: 1})
		if err != nil || page.Total != functions {
			t.Errorf("%+v, %v", page, err)
		}
		for i := range functions {
			if _, err := again.Get(t.Context(), function.Ref{Namespace: "ns", ID: fmt.Sprint(i)}); err != nil {
				t.Error(err)
			}
		}
	}
	close(stop)
	writers.Wait()
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("beside the store's file are left %v, %v", files, err)
	}
}

func TestAStoreThatNobodyHasOpenIsCopied(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, function.Ref{Namespace: "ns", ID: "id"}, "1", nil)
	wantText(t, bolt.CopyFile(dir, io.Discard), "in use by another process")
	must(t, s.Close())
	var text bytes.Buffer
	must(t, bolt.CopyFile(dir, &text))
	restored := t.TempDir()
	must(t, os.WriteFile(filepath.Join(restored, "functions.db"), text.Bytes(), 0o600))
	if f, err := open(t, restored).Get(t.Context(), function.Ref{Namespace: "ns", ID: "id"}); err != nil || f.Code != "1" {
		t.Errorf("got %+v, %v", f, err)
	}
	wantText(t, bolt.CopyFile(t.TempDir(), io.Discard), "no such file")
}

func TestADamagedCopyIsNoticed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, function.Ref{Namespace: "ns", ID: "id"}, "1", nil)
	must(t, s.Close())
	text, err := os.ReadFile(filepath.Join(dir, "functions.db"))
	must(t, err)
	for name, damaged := range map[string][]byte{"cut": text[:len(text)/2], "empty": nil, "another file": []byte("hello")} {
		path := filepath.Join(t.TempDir(), "copy")
		must(t, os.WriteFile(path, damaged, 0o600))
		if _, err := bolt.CheckFile(path); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}
