// Package queue is what a queued call is: its record, its states and what moves it from one to another. It has no input
// and no output: stores keep the records.
//
//	             take                 succeeded
//	put ► queued ────► running ───────────────────► succeeded
//	        ▲ │           │ │ failed for good, no attempt left
//	        │ │           │ └─────────────────────► dead ──┐
//	        │ │           │ retry, back, lease ran out     │ redrive
//	        │ └─────────┐ └──────► queued                  │
//	        │ cancel    ▼ cancel                           │
//	        │       cancelled ─────────────────────────────┤
//	        └──────────────────────────────────────────────┘
//
// Each take gives the call a number. Whoever settles it says which take theirs was, so that one whose lease ran out
// while it slept changes nothing. All times are those of the store.
package queue
