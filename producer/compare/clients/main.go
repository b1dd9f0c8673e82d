// Command clients is fleetproof with all the clients that there are adapters of, each under its own name and, for a
// closed loop, under closed- and its name.
package main

import (
	"github.com/fleetproof/fleetproof/cmd"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/confluent"
	"github.com/fleetproof/fleetproof/producer/franz"
	"github.com/fleetproof/fleetproof/producer/kafkago"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// window is how many records a closed loop has without an outcome: the same for every client, so that none is measured by
// the size of its buffers.
const window = 20_000

func main() {
	kinds := []producer.Kind{sarama.Kind(), franz.Kind(), kafkago.Kind(), confluent.Kind()}
	for _, kind := range kinds {
		kinds = append(kinds, closed(kind, window))
	}
	cmd.Main(kinds...)
}
