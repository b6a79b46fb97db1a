package egress

// innerOf is how many connections of workers to the proxy there may be beside so many to the outside: those that are connected, those that wait,
// and those on which a ticket is fetched.
func innerOf(total int) int { return total + max(total/2, 32) }

// lookupsOf is how many lookups of names may be under way beside so many connections to the outside.
func lookupsOf(total int) int { return max(total/16, 1) }

// socketsOfLookup is the most that one holds: for two kinds of address of each name that is looked at.
const socketsOfLookup = 2 * atATime

// Descriptors is how many descriptors a proxy may need that lets so many connections out.
func Descriptors(total int) int { return total + innerOf(total) + socketsOfLookup*lookupsOf(total) }
