package egress

import "time"

// DefaultLimits are those of a server that is not configured.
func DefaultLimits() Limits {
	return Limits{PerCall: 32, Total: 1024, Attempts: 1000, Bytes: 256 << 20, Connect: 5 * time.Second, Idle: time.Minute}
}
