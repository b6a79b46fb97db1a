package line

import "sync"

// Memory keeps the texts of calls in memory. The zero value is ready. It is safe for concurrent use.
type Memory struct {
	mu                sync.RWMutex // guards the fields below
	payloads, results map[string][]byte
}

// Save keeps all changes.
func (m *Memory) Save(changes []Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.payloads == nil {
		m.payloads, m.results = map[string][]byte{}, map[string][]byte{}
	}
	for _, c := range changes {
		if c.OfCallback {
			continue
		}
		if c.Payload != nil {
			m.payloads[c.ID] = c.Payload
		} else if c.NoPayload {
			delete(m.payloads, c.ID)
		}
		if c.Result != nil {
			m.results[c.ID] = c.Result
		} else if c.NoResult {
			delete(m.results, c.ID)
		}
	}
	return nil
}

// Payload returns that of a call.
func (m *Memory) Payload(id string) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.payloads[id], nil
}

// Result returns that of a call.
func (m *Memory) Result(id string) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.results[id], nil
}
