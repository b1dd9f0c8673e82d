package fault

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Spec is one fault of a scenario. It carries no defaults; those live in scenarios/defaults.yaml. Which fields apply
// depends on Do: see the table of kinds.
type Spec struct {
	Name    string         `yaml:"name"`          // by which expectations and the report speak of it
	At      time.Duration  `yaml:"at"`            // when it begins, for the first time, since the load began
	For     time.Duration  `yaml:"for,omitempty"` // until healing begins, counted from its beginning
	Do      Kind           `yaml:"do"`            // what it does to its target
	Target  Target         `yaml:"target"`        // broker 2, leader of device-data/0, controller, device-data/0, device-data or all, as far as the kind can hit it
	Latency *time.Duration `yaml:"latency"`       // latency: added to every response
	Jitter  *time.Duration `yaml:"jitter"`        // latency: up to this much more or less, drawn for each response
	Rate    *Rate          `yaml:"rate"`          // lose_ack: how many responses are lost; error: how many are replaced
	Count   *int           `yaml:"count"`         // lose_ack, error: at most so many
	Error   string         `yaml:"error"`         // error: the protocol's name of the error code, such as NOT_LEADER_OR_FOLLOWER
	API     string         `yaml:"api"`           // error: the protocol's name of the request, such as Produce
	To      *int           `yaml:"to"`            // add_partitions: how many partitions the topic has then; move_leader: the broker that leads then, counted from 1

	Repeat *Repeat `yaml:"repeat"` // it comes again and again; absent: once

	AllowLoss bool `yaml:"allow_loss"` // more brokers may be down at once than the topics' promise survives
}

// Rate is how often a fault strikes: so many times per second, or a share of the occasions. One of the two is zero.
type Rate struct {
	PerSecond float64
	Share     float64 // 0 … 1
}

// UnmarshalText reads 3/s, 30/min or 10%.
func (r *Rate) UnmarshalText(text []byte) error {
	for _, unit := range []struct {
		suffix string
		most   float64
		one    Rate
	}{{"/s", 1e6, Rate{PerSecond: 1}}, {"/min", 6e7, Rate{PerSecond: 1. / 60}}, {"%", 100, Rate{Share: 1. / 100}}} {
		digits, found := strings.CutSuffix(string(text), unit.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseFloat(digits, 64)
		if err != nil || !(n > 0 && n <= unit.most) {
			break
		}
		*r = Rate{PerSecond: n * unit.one.PerSecond, Share: n * unit.one.Share}
		return nil
	}
	return fmt.Errorf("want a rate above zero, such as 3/s, 30/min or 10%%, got %q", text)
}
