//go:build !race

package build

// raceDetector says whether this test binary has the race detector.
const raceDetector = false
