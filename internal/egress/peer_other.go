//go:build !linux

package egress

import (
	"net"

	"github.com/backstage/functions/sandbox"
)

func peerOf(*net.UnixConn) (int, error) { return 0, sandbox.ErrUnsupported }

func peerLives(*net.UnixConn) bool { return false }
