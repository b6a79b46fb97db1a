package worker

import "time"

// BusyWait is how long Serve stays awake for an answer at most. To be put to sleep and woken again takes a goroutine
// that waits for a pipe longer than a short call takes its process.
const BusyWait = 200 * time.Microsecond
