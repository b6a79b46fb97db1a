// Package logs writes what the server has to say: its own messages, a line for each request, and what functions print.
//
// Nothing that comes from outside, a name, a header or a printed line, can forge a line or an escape sequence: control
// characters are written as JavaScript would write them in a string, such as \n and \u001b.
package logs
