// Package logs writes what the server has to say: its own messages, a line for each request, and what functions print.
//
// Nothing that comes from outside, a name, a header or a printed line, can forge a line, an escape sequence or a text
// that reads differently from what it is: control characters and invisible ones, such as marks that change the
// direction of writing, are written as JavaScript would write them in a string: \n, \u001b, \u202e.
package logs
