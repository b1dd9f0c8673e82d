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
	Name    string         `yaml:"name"`
	At      time.Duration  `yaml:"at"`
	For     time.Duration  `yaml:"for"` // until healing begins
	Do      Kind           `yaml:"do"`
	Target  Target         `yaml:"target"`
	Latency *time.Duration `yaml:"latency"` // latency: added to every response
	Jitter  *time.Duration `yaml:"jitter"`  // latency: up to this much more or less, drawn for each response
	Rate    *Rate          `yaml:"rate"`    // lose_ack: how many responses are lost; error: how many are replaced
	Count   *int           `yaml:"count"`   // lose_ack, error: at most so many
	Error   string         `yaml:"error"`   // error: the protocol's name of the error code, such as NOT_LEADER_OR_FOLLOWER
	API     string         `yaml:"api"`     // error: the protocol's name of the request, such as Produce
}

// Target is what a fault hits: one broker, the leader of a partition as it is when the fault begins, or all brokers.
// Brokers count from 1. The zero value is no target.
type Target struct {
	Broker    int    // 0: not by number
	Topic     string // with Partition, when Leader
	Partition int32
	Leader    bool
	All       bool
}

// UnmarshalText reads "broker 2", "leader of device-data/0" or "all".
func (t *Target) UnmarshalText(text []byte) error {
	parsed := parseTarget(string(text))
	if parsed == (Target{}) || parsed.String() != string(text) { // there is one spelling of each target
		return fmt.Errorf(`want "broker 2", "leader of device-data/0" or "all", got %q`, text)
	}
	*t = parsed
	return nil
}

func parseTarget(text string) Target {
	if text == "all" {
		return Target{All: true}
	}
	if digits, found := strings.CutPrefix(text, "broker "); found {
		n, err := strconv.Atoi(digits)
		if err == nil && n >= 1 {
			return Target{Broker: n}
		}
	}
	if place, found := strings.CutPrefix(text, "leader of "); found {
		topic, digits, _ := strings.Cut(place, "/")
		n, err := strconv.ParseInt(digits, 10, 32)
		if err == nil && n >= 0 && topic != "" {
			return Target{Leader: true, Topic: topic, Partition: int32(n)}
		}
	}
	return Target{}
}

// String writes the target as a scenario does.
func (t Target) String() string {
	switch {
	case t.All:
		return "all"
	case t.Leader:
		return fmt.Sprintf("leader of %s/%d", t.Topic, t.Partition)
	case t.Broker > 0:
		return fmt.Sprintf("broker %d", t.Broker)
	default:
		return "nothing"
	}
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
