package server

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// privileged is the first port that every user may listen on, unless the kernel is told otherwise: ip(7),
// ip_unprivileged_port_start.
const privileged = 1024

// listenError says what is wrong with an address to listen on, and what to do next. It names the variable that err is
// about: the host's if a name is not found or this machine does not have the address, otherwise the port's.
func listenError(hostVariable, host, portVariable string, port int, err error) error {
	_, notFound := errors.AsType[*net.DNSError](err)
	switch {
	case host != "" && (notFound || errors.Is(err, syscall.EADDRNOTAVAIL)):
		return fmt.Errorf("%s: must be an address of this machine: %w, got %q", hostVariable, err, host)
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: another program listens on port %d (ss -ltnp 'sport = :%d' shows which): stop it, "+
			"or set %s to a free port: %w", portVariable, port, port, portVariable, err)
	case errors.Is(err, syscall.EACCES) && port < privileged:
		return fmt.Errorf("%s: this user may not listen on port %d: set %s to %d or more, or give the program the "+
			"capability CAP_NET_BIND_SERVICE: %w", portVariable, port, portVariable, privileged, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: a security policy of this machine, such as SELinux, forbids to listen on port %d: set %s "+
			"to a port that it allows, or change the policy: %w", portVariable, port, portVariable, err)
	}
	return fmt.Errorf("%s: %w, got %d", portVariable, err, port)
}
