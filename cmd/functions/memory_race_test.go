//go:build race

package main

// memoryFactor is what bounds of a server's memory are multiplied by: the race detector takes five to ten times as much as a program without
// it (https://go.dev/doc/articles/race_detector, "Runtime Overhead").
const memoryFactor = 4
