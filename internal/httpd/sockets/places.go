package sockets

// share is how many times the places that stay free one address, or one owner, may have: four fifths of all while
// nobody else wants any.
const share = 4

// places are those of sockets. They are guarded by the Hub's mutex.
type places struct {
	most, taken int
	addresses   map[string]int
	owners      map[string]int
}

func newPlaces(most int) places {
	return places{most: most, addresses: map[string]int{}, owners: map[string]int{}}
}

// take says whether there is a place for one of address and of owner, and takes it.
func (p *places) take(address, owner string) bool {
	free := p.most - p.taken - 1
	if free < 0 || p.addresses[address] > share*free || p.owners[owner] > share*free {
		return false
	}
	p.taken++
	p.addresses[address]++
	p.owners[owner]++
	return true
}

// give takes back a place.
func (p *places) give(address, owner string) {
	p.taken--
	drop(p.addresses, address)
	drop(p.owners, owner)
}

func drop(counts map[string]int, key string) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}
