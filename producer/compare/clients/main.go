// Command clients is fleetproof with all the clients that there are adapters of, each under its own name and, for a
// closed loop, under closed- and its name.
package main

import (
	"github.com/fleetproof/fleetproof/cmd"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/compare/closed"
	"github.com/fleetproof/fleetproof/producer/confluent"
	"github.com/fleetproof/fleetproof/producer/franz"
	"github.com/fleetproof/fleetproof/producer/kafkago"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

func main() {
	kinds := []producer.Kind{sarama.Kind(), franz.Kind(), kafkago.Kind(), confluent.Kind()}
	for _, kind := range kinds {
		kinds = append(kinds, closed.Kind(kind, closed.Window))
	}
	cmd.Main(kinds...)
}
