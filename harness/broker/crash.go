package broker

import (
	"errors"
	"fmt"
)

// Crash resets every client connection of a broker and refuses new ones, until Restore. The broker keeps its log and
// stays the leader of its partitions: to its clients it is a machine that lost power and comes back with its disk. Dial
// still reaches it. Crashes of one broker may overlap; it is back after as many calls of Restore.
func (c *Cluster) Crash(node int) error {
	door, err := c.door(node)
	if err != nil {
		return fmt.Errorf("crash broker %d: %w", node+1, err)
	}
	door.crash()
	return nil
}

// Restore takes back one Crash.
func (c *Cluster) Restore(node int) error {
	door, err := c.door(node)
	if err == nil {
		err = door.restore()
	}
	if err != nil {
		return fmt.Errorf("restore broker %d: %w", node+1, err)
	}
	return nil
}

// Refused is how many client connections the crashes of a broker have reset or refused so far.
func (c *Cluster) Refused(node int) int64 {
	door, err := c.door(node)
	if err != nil {
		return 0
	}
	return door.refused()
}

func (c *Cluster) door(node int) (*door, error) {
	e, found := c.kafka.(*embedded)
	if !found {
		return nil, errors.New("only an embedded broker can")
	}
	if node < 0 || node >= len(e.doors) {
		return nil, fmt.Errorf("there are %d", len(e.doors))
	}
	return e.doors[node], nil
}
