// Package queue is what a queued call is: its record, its states and what moves it from one to another. It has no input
// and no output: stores keep the records.
//
//	             take              succeeded
//	put ► queued ────► running ────────────► succeeded
//	        ▲ │          │ │ failed for good, no attempt left
//	        │ │          │ └───► dead ──┐
//	        │ │          │ retry, back, │
//	        │ │          │ next, lease  │
//	        │ │          ├─ lost ► queued
//	        │ │ cancel   ▼ cancel       │
//	        │ └────► cancelled ◄────────┤ cancel
//	        │            │ redrive      │ redrive
//	        └────────────┴──────────────┘
//
// A pipeline is one call: when a step has succeeded, the call is queued again for the next one, with what that gets as
// its payload. So a step that was settled does not run again, and a redrive begins with the step that failed.
//
// Each take gives the call a number. Whoever settles it says which take theirs was, so that one whose lease ran out
// while it slept changes nothing. All times are those of the store.
package queue
