// Package runtimes installs versions of Node.js for functions: those that this program knows with their hashes, as
// packages of npm, below the server's directory.
package runtimes
