// Package archtest checks the imports of all packages against the drawing in docs/architecture.md, and the documents
// against the repository.
package archtest
