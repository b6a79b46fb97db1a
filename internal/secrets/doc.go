// Package secrets keeps the secrets of functions: it encrypts and decrypts their values, reads those that are files,
// finds what a call gets, and hides their values in texts.
package secrets
