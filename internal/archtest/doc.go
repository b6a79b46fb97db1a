// Package archtest holds the map of what may import what, as a test.
package archtest
