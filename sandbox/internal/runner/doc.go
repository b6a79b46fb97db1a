// Package runner puts the files of the program inside a worker where Node.js can read them.
//
// They lie in a folder that is named by their contents, below one that belongs to the user of this process alone:
//
//	~/.cache/functions-sandbox           the parent: nobody else may enter it
//	├── lock                             held while a process looks at the folders and writes them
//	├── 5f0c…                            the files; jailed workers, which have other user IDs, can read them
//	└── new-…                            what a process is writing, or has left when it was killed
//
// Processes with the same files share a folder. Each compares it with its own files before it uses it, and writes it
// anew when it differs: by a missing file, other contents, another owner or mode, or a file too many.
package runner
