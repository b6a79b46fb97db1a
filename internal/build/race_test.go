//go:build race

package build

// raceDetector says whether this test binary has it: as a child it would be ten times as slow.
const raceDetector = true
