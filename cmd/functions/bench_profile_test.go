package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/pprof/profile"
)

// profileTime is how long the server is profiled under each load.
const profileTime = 8 * time.Second

// BenchmarkProfile writes the profile by which the compiler optimizes the server into the file PROFILE: that of short
// calls, with one, with some and with many callers. make profile runs it.
func BenchmarkProfile(b *testing.B) {
	file := os.Getenv("PROFILE")
	if file == "" {
		b.Skip("PROFILE does not name a file: make profile does")
	}
	for b.Loop() {
		s := startBenched(b, "PPROF=true")
		var parts []*profile.Profile
		for _, connections := range []int{1, 16, 64} {
			s.hello(b, connections, "")
			taken := make(chan *profile.Profile, 1)
			go func() { taken <- s.profile(b) }()
			s.loadHello(b, connections, profileTime+2*time.Second)
			part := <-taken
			if part == nil {
				b.FailNow()
			}
			parts = append(parts, part)
		}
		if err := writeProfile(file, parts); err != nil {
			b.Fatal(err)
		}
	}
}

// profile is the server's profile of the next profileTime; nil after an error, which fails the benchmark.
func (s *server) profile(b *testing.B) *profile.Profile {
	url := fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", s.metrics, int(profileTime.Seconds()))
	answer, err := http.Get(url)
	if err != nil {
		b.Error(err)
		return nil
	}
	defer answer.Body.Close()
	taken, err := profile.Parse(answer.Body)
	if err != nil {
		b.Errorf("%s: %v", answer.Status, err)
		return nil
	}
	return taken
}

// writeProfile writes profiles as one, without the path of the server that was profiled.
func writeProfile(name string, parts []*profile.Profile) error {
	all, err := profile.Merge(parts)
	if err != nil {
		return err
	}
	for _, mapping := range all.Mapping {
		mapping.File = filepath.Base(mapping.File)
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(all.Write(file), file.Close())
}
