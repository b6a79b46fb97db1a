package sockets

// IDs are those of the sockets that are open.
func (h *Hub) IDs() (ids []string) {
	for _, s := range h.list() {
		ids = append(ids, s.ID)
	}
	return ids
}
