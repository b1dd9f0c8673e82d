// Command knownbad is fleetproof with a client that is known to lose acknowledged records in place of the one in use:
//
//	knownbad run known-bad --out out/v1.47.0
//
// It proves that the harness finds what it is there to find. It lives in a module of its own, whose go.mod replaces Sarama
// by the old version: no other program gets it. The report names the version.
package main

import (
	"github.com/fleetproof/fleetproof/cmd"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/knownbad/sarama147"
)

func main() {
	cmd.Main(producer.Kind{Name: sarama147.Name, Version: sarama147.Version(), New: sarama147.New})
}
