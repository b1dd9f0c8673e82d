package broker

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
)

// The ports of 127.0.0.1 that are given to brokers lie below those from which systems take the ports of outgoing
// connections. Such a connection could otherwise take the port of a broker that is down, which then could not come back;
// a client that dials a port on which nobody listens often enough even connects to itself.
const (
	lowestPort  = 15000
	highestPort = 32767 // Linux begins at 32768, others at 49152 (RFC 6335)
)

// freePorts finds n ports of 127.0.0.1 on which nobody listens now. On a Linux that was told to take outgoing ports from
// there too, they are merely unlikely to be taken later. They are not drawn from a scenario's seed: two runs
// of one scenario would meet.
func freePorts(n int) ([]int, error) {
	highest := highestPort
	var low, high int
	if ephemeral, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if _, err := fmt.Sscan(string(ephemeral), &low, &high); err == nil && low > lowestPort+1000 {
			highest = min(highest, low-1)
		}
	}
	var ports []int
	var held []net.Listener // until all are found, so that they differ
	var errs []error
	for range 100 * n {
		port := lowestPort + rand.IntN(highest-lowestPort+1)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ports, held = append(ports, port), append(held, listener)
		if len(ports) == n {
			break
		}
	}
	for _, listener := range held {
		_ = listener.Close()
	}
	if len(ports) < n {
		return nil, fmt.Errorf("find %d free ports of 127.0.0.1 between %d and %d: %w", n, lowestPort, highest, errors.Join(errs...))
	}
	return ports, nil
}

// portTaken says whether Docker could not bind a port. It has no code for that.
func portTaken(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "port is already allocated") || strings.Contains(err.Error(), "address already in use"))
}
