package sandbox

// atHandLocked says whether calls of key can have a worker at once.
func (s *scheduler) atHandLocked(key string) bool {
	return (len(s.prewarmed) > 0 || s.idle.has(key)) && !s.saturatedLocked(key)
}

// dispatchLocked gives workers to those who wait and may have one that is at hand.
func (s *scheduler) dispatchLocked() {
	for s.queue.len() > 0 && !s.closed {
		waiting := s.nextLocked(s.atHandLocked)
		if waiting == nil {
			return
		}
		s.serveLocked(waiting)
	}
}

// serveLocked gives waiting, that is next, a worker that is at hand: an idle one of its function, or a prewarmed one.
func (s *scheduler) serveLocked(waiting *call) {
	s.queue.take(waiting)
	if w := s.idle.take(waiting.key); w != nil {
		s.assignLocked(w, waiting, StartWarm)
		return
	}
	w := s.prewarmed[len(s.prewarmed)-1]
	s.prewarmed = s.prewarmed[:len(s.prewarmed)-1]
	s.assignLocked(w, waiting, StartCold)
}

// assignLocked gives w to waiting and counts the call as in progress.
func (s *scheduler) assignLocked(w *slot, waiting *call, start StartKind) {
	if w.key == "" {
		s.bindLocked(w, waiting.group, waiting.key)
	}
	s.setBusyLocked(w, true)
	s.setServingLocked(w, true)
	w.note(waiting.inv)
	s.calls.Add(1)
	waiting.slot, waiting.start, waiting.first = w, start, start != StartWarm
	close(waiting.ready)
}

// assignBatchLocked gives w, which has just served last, to the first who waits for its function and, if that is short,
// sends the calls of others along: its share of them.
func (s *scheduler) assignBatchLocked(w *slot, last *Invocation) {
	waiting := s.queue.takeKey(w.key)
	if s.serviceTimes.short(w.key) && s.cfg.MaxInvocations == 0 && mayBatch(last) && mayBatch(waiting.inv) {
		share := 1 + s.queue.keys[w.key]/max(s.busy[w.key].workers, 1)
		room := min(batchBytes, s.cfg.Limits.Frame) - waiting.inv.size()
		for len(w.batch)+1 < min(share, mostBatched) {
			next := s.queue.peekKey(waiting.group, w.key)
			if next == nil || next.alone || !mayBatch(next.inv) || next.inv.size() > room ||
				next.inv.Background != waiting.inv.Background {
				break
			}
			room -= next.inv.size()
			s.queue.drop(next)
			s.calls.Add(1)
			next.slot, next.start, next.sent = w, StartWarm, true
			w.batch = append(w.batch, next)
			waiting.batch = append(waiting.batch, next)
		}
	}
	s.assignLocked(w, waiting, StartWarm)
}
