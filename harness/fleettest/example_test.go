package fleettest_test

import (
	"os"
	"testing"

	"github.com/fleetproof/fleetproof/harness/fleettest"
	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/sarama"
)

// A scenario becomes a test; one of its expectations may remain unproven on a machine that is busy.
func ExampleRun() {
	_ = func(t *testing.T) { // TestQuickstart
		fleettest.Run(t, "quickstart", fleettest.Options{
			Set:               []string{"fleets.climate.devices=100"},
			AllowInconclusive: []string{"ack_latency.p99 < 500ms outside faults"},
		})
	}
}

// Every scenario of a folder becomes a subtest.
func ExampleRunAll() {
	_ = func(t *testing.T) { // TestScenarios
		fleettest.RunAll(t, os.DirFS("scenarios"), "*.yaml", fleettest.Options{})
	}
}

// Every scenario of a folder of Gherkin features becomes a subtest, but for those that are left to the night.
func ExampleFeatures() {
	_ = func(t *testing.T) { // TestFeatures
		fleettest.Features(t, os.DirFS("features"), fleettest.Options{Tags: "~@nightly"})
	}
}

// A producer of one's own is held against the contract, and then put under test by a scenario.
func ExampleConform() {
	mine := producer.Kind{Name: "mine", Version: "v1.0.0", New: sarama.New}
	_ = func(t *testing.T) { // TestConform
		fleettest.Conform(t, mine.New)
		fleettest.Run(t, "quickstart", fleettest.Options{Producer: mine})
	}
}
