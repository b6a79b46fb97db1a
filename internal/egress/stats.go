package egress

import (
	"cmp"
	"encoding/json"
	"slices"
)

// hostCount is the number of connections to one host and port.
type hostCount struct {
	Host  string `json:"host"`
	Count int    `json:"count"`
}

// agentStats has the form of Node.js' HTTP agents.
type agentStats struct {
	Sockets     []hostCount `json:"sockets"`
	FreeSockets []hostCount `json:"freeSockets"`
}

// HTTPStats is a JSON object of the connections that functions have open now, by host: those with TLS as https, all
// others as http. None is free, because none outlives its call.
func (p *Proxy) HTTPStats() []byte {
	counts := [2]map[string]int{{}, {}}
	p.mu.Lock()
	for l := range p.links {
		scheme := 0
		if l.secure.Load() {
			scheme = 1
		}
		counts[scheme][l.target.String()]++
	}
	p.mu.Unlock()
	text, err := json.Marshal(struct {
		HTTP  agentStats `json:"http"`
		HTTPS agentStats `json:"https"`
	}{agentOf(counts[0]), agentOf(counts[1])})
	if err != nil { // cannot fail for strings and numbers
		panic(err)
	}
	return text
}

func agentOf(counts map[string]int) agentStats {
	stats := agentStats{Sockets: []hostCount{}, FreeSockets: []hostCount{}}
	for host, count := range counts {
		stats.Sockets = append(stats.Sockets, hostCount{host, count})
	}
	slices.SortFunc(stats.Sockets, func(a, b hostCount) int { return cmp.Compare(a.Host, b.Host) })
	return stats
}

// Open is the number of connections to the outside, including those that are being made.
func (p *Proxy) Open() int { return int(p.remotes.open.Load()) }
