//go:build !race

package main

// memoryFactor is what bounds of a server's memory are multiplied by.
const memoryFactor = 1
