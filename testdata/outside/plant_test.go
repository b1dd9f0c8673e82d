package plant_test

import (
	"os"
	"testing"

	"example.org/plant"

	"github.com/fleetproof/fleetproof/harness/fleettest"
)

func TestConform(t *testing.T) { fleettest.Conform(t, plant.New) }

func TestScenario(t *testing.T) {
	fleettest.Run(t, "scenarios/plant.yaml", fleettest.Options{Producer: plant.Kind(), Set: []string{"fleets.motors.devices=10"}})
}

func TestFolder(t *testing.T) {
	fleettest.RunAll(t, os.DirFS("scenarios"), "*.yaml", fleettest.Options{})
}

func TestFeatures(t *testing.T) {
	fleettest.Features(t, os.DirFS("features"), fleettest.Options{Producer: plant.Kind(), Tags: "~@slow"})
}

// TestBroken is meant to fail: it is played by fleetproof's own tests only.
func TestBroken(t *testing.T) {
	if os.Getenv("PLANT_BROKEN") == "" {
		t.Skip("fails on purpose")
	}
	fleettest.Run(t, "broken/broken.yaml", fleettest.Options{Producer: plant.Kind()})
}
