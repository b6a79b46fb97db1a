package line

// Memory keeps the texts of calls in memory. The zero value is ready. A Line locks it.
type Memory struct{ payloads, results map[string][]byte }

// Save keeps all changes.
func (m *Memory) Save(changes []Change) error {
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
func (m *Memory) Payload(id string) ([]byte, error) { return m.payloads[id], nil }

// Result returns that of a call.
func (m *Memory) Result(id string) ([]byte, error) { return m.results[id], nil }
