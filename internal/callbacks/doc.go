// Package callbacks tells the receivers that calls name how they have ended: it takes callbacks that are due, sends
// each as a signed event, and settles it.
package callbacks
