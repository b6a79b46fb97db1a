package sandbox

import "github.com/backstage/functions/sandbox/internal/worker"

// To be put to sleep and woken again takes a goroutine that waits for a pipe longer than a short call takes its worker. So while processors have
// nothing else to do, the one that waits for the answer of such a call stays awake for a moment.
const soonCall = worker.BusyWait / 2 // of a processor: calls that take longer are not worth it

// soonLocked says whether the answer to a call of key that begins now is worth a busy wait: it comes soon, and no more workers and waiting calls
// want a processor than there are. The only processor is the worker's.
func (p *Pool) soonLocked(key string) bool {
	return p.processors > 1 && p.house.shares.serving.total+p.queue.len() <= p.processors && p.paces.soon(key)
}
