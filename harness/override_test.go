package harness

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSetOverrides(t *testing.T) {
	for assignment, check := range map[string]func(r *Resolved) bool{
		"seed=9":                                           func(r *Resolved) bool { return r.Seed == 9 },
		"fleets.climate.devices=100":                       func(r *Resolved) bool { return r.Fleets[0].Devices == 100 },
		"load.stages.hold.rate=2x":                         func(r *Resolved) bool { return r.Load.Stages[0].Rate.Multiple == 2 },
		"sensors.temperature.mean=-1.5":                    func(r *Resolved) bool { return *r.Sensors["temperature"].Mean == -1.5 },
		"sensors.co2={kind: normal, mean: 400, stddev: 1}": func(r *Resolved) bool { return *r.Sensors["co2"].Mean == 400 },
		"alerts.topic=alarms":                              func(r *Resolved) bool { return r.Alerts.Topic == "alarms" && r.Alerts.Partitions == 6 },
		"tags=[a, b]":                                      func(r *Resolved) bool { return len(r.Tags) == 2 },
		"expect=[acked_lost == 0]":                         func(r *Resolved) bool { return r.Stated[0].Origin == "--set expect=[acked_lost == 0]" },
		"description=a = b":                                func(r *Resolved) bool { return r.Description == "a = b" },
		"producer.batch.linger=1ms":                        func(r *Resolved) bool { return r.Producer.Batch.Linger == time.Millisecond },
		"load.stages=[{name: a, for: 1s, rate: 1x}]":       func(r *Resolved) bool { return r.Load.Stages[0].Judged },
		"fleets.climate={name: b, devices: 1, interval: 1s, sensors: [switch]}": func(r *Resolved) bool {
			return r.Fleets[0].Name == "b"
		},
	} {
		r, err := Parse("x.yaml", []byte(minimal), Overrides{Set: []string{assignment}})
		require.NoError(t, err, assignment)
		assert.True(t, check(r), assignment)
	}
}

func TestLaterOverridesWin(t *testing.T) {
	r, err := Parse("x.yaml", []byte(minimal), Overrides{Set: []string{"seed=2", "seed=3"}})
	require.NoError(t, err)
	assert.Equal(t, uint64(3), r.Seed)
	assert.Equal(t, "--set seed=3", r.found["seed"].from())
}

func TestSetMistakes(t *testing.T) {
	for assignment, want := range map[string]string{
		"seed":                         "--set seed: want path=value (write --set fleets.climate.devices=100)",
		"=1":                           "--set =1: want path=value (write --set fleets.climate.devices=100)",
		"seed=":                        "--set seed=: seed: has no value (give it one, or remove the key)",
		"sed=1":                        "--set sed=1: sed: unknown key (did you mean seed? known: version, name, description, tags, seed, clock, broker, topic, alerts, producer, location, fleets, sensors, trends, delivery, load, anomalies, faults, oracle, expect)",
		"seed.x=1":                     "--set seed.x=1: seed: is a single value: nothing lies within it (set it as a whole)",
		"fleets.climat.devices=1":      "--set fleets.climat.devices=1: fleets: has no item named climat (did you mean climate? known: climate)",
		"faults.slow.at=1s":            "--set faults.slow.at=1s: faults: has no item named slow (there is none)",
		"fleets.climate.device=1":      "--set fleets.climate.device=1: fleets[0].device: unknown key (did you mean devices? known: name, devices, interval, jitter, sensors)",
		"fleets.climate.devices=many":  `--set fleets.climate.devices=many: fleets[0].devices: want a whole number, got "many"`,
		"fleets.climate.devices=0":     "--set fleets.climate.devices=0: fleets[0].devices: must be at least 1, got 0",
		"tags=[a":                      "--set tags=[a: is no valid YAML: did not find expected ',' or ']' (put a comma between two values and close the bracket)",
		"fleets.climate.sensors=[a,b]": "--set fleets.climate.sensors=[a,b]: fleets[0].sensors[0]: unknown sensor \"a\" (known: current, humidity, pressure, switch, temperature)\n--set fleets.climate.sensors=[a,b]: fleets[0].sensors[1]: unknown sensor \"b\" (known: current, humidity, pressure, switch, temperature)",
		"tags.smoke.x=1":               "--set tags.smoke.x=1: tags: has no item named smoke (there is none)",
		"expect.promised=1":            "--set expect.promised=1: expect: has no item named promised (there is none)",
		"broker.brokers=many":          `--set broker.brokers=many: broker.brokers: want a whole number, got "many"`,
	} {
		_, err := Parse("x.yaml", []byte(minimal), Overrides{Set: []string{assignment}})
		assert.EqualError(t, err, want)
	}
}

func TestExpectationsOfTheCommandLine(t *testing.T) {
	r, err := Parse("x.yaml", []byte(minimal), Overrides{Expect: []string{"duplicates == 0"}})
	require.NoError(t, err)
	assert.Equal(t, []string{"promised", "duplicates == 0"}, r.Expect)
	assert.Equal(t, "--expect", r.Stated[1].Origin)

	_, err = Parse("x.yaml", []byte(minimal), Overrides{Expect: []string{"duplicate == 0", "acked_lost == 0 during stage hld"}})
	var mistakes Mistakes
	require.ErrorAs(t, err, &mistakes)
	require.Len(t, mistakes, 2)
	assert.Equal(t, "--expect", mistakes[0].File)
	assert.Contains(t, mistakes[0].Error(), `--expect: expect[1]: duplicate == 0: unknown metric "duplicate" (did you mean duplicates? known: `)
	assert.Equal(t, `--expect: expect[2]: acked_lost == 0 during stage hld: unknown stage "hld" (did you mean hold? known: hold)`, mistakes[1].Error())
}
