package egress

// innerOf is the most connections of workers to the proxy, for that many to the outside: those that are connected,
// those that wait, and those that fetch a ticket.
func innerOf(total int) int { return total + max(total/2, 32) }

// lookupsOf is the most concurrent lookups of names, for that many connections to the outside.
func lookupsOf(total int) int { return max(total/16, 1) }

// socketsOfLookup is the most sockets of one lookup: for two kinds of address of each name that is checked.
const socketsOfLookup = 2 * atATime

// Descriptors is the most descriptors of a proxy that allows that many connections to the outside.
func Descriptors(total int) int { return total + innerOf(total) + socketsOfLookup*lookupsOf(total) }
