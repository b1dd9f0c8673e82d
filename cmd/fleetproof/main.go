// Command fleetproof is the command line of package cmd, built with the clients that this module has.
package main

import (
	"github.com/fleetproof/fleetproof/cmd"
	"github.com/fleetproof/fleetproof/producer/franz"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

func main() {
	cmd.Main(sarama.Kind(), franz.Kind())
}
