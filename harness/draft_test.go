package harness

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// line is a place in the file of a draft.
func line(n int) Place { return Place{File: "x.prose", Line: n, Column: 5} }

// drafted is the minimal scenario, said value by value.
func drafted() *Draft {
	d := NewDraft(line(1))
	d.Set(line(2), "version", "1")
	d.Set(line(3), "name", "minimal")
	d.Set(line(4), "seed", "1")
	d.Add(line(5), "fleets", "{name: climate, devices: 3, interval: 1s, sensors: [temperature]}")
	d.Add(line(6), "load.stages", "{name: hold, for: 10s, rate: 100/s}")
	return d
}

func TestDraftsSayWhatFilesSay(t *testing.T) {
	want, err := Parse("x.yaml", []byte(minimal), Overrides{})
	require.NoError(t, err)
	got, err := drafted().Resolve(Overrides{})
	require.NoError(t, err)
	assert.Empty(t, cmp.Diff(want.Scenario, got.Scenario))
	assert.Equal(t, "x.prose", got.File)
	assert.Equal(t, "x.prose:5", got.found["fleets[0].devices"].from())
	assert.Equal(t, "x.prose:6", line(6).String())
}

func TestLaterSettingsWin(t *testing.T) {
	d := drafted()
	d.Set(line(7), "fleets.climate.devices", "5")
	d.Add(line(8), "fleets", "{name: power, devices: 1, sensors: [current]}")
	d.Add(line(9), "fleets", "{name: power, devices: 2, sensors: [current]}")
	d.Lay(Place{File: "x.prose", Line: 10, Column: 7}, []byte("producer:\n  acks: \"1\"\n  idempotent: false\ntags: [a]\n"))
	d.Set(line(20), "tags", "[b]")
	assert.Equal(t, []string{"climate", "power"}, d.Names("fleets"))
	assert.Empty(t, d.Names("anomalies"))
	assert.Empty(t, d.Names("seed"))
	assert.Equal(t, "1", d.Text("producer.acks"))
	assert.Equal(t, "device-data", d.Text("topic.name"), "by default")
	assert.Empty(t, d.Text("topic.nothing"))
	r, err := d.Resolve(Overrides{Set: []string{"seed=9"}})
	require.NoError(t, err)
	assert.Equal(t, []int{5, 2}, []int{r.Fleets[0].Devices, r.Fleets[1].Devices})
	assert.Equal(t, "x.prose:11", r.found["producer.acks"].from())
	assert.Equal(t, []string{"b"}, r.Tags)
	assert.Equal(t, uint64(9), r.Seed, "the command line has the last word")
}

func TestDraftsOnScenarios(t *testing.T) {
	d := NewDraft(line(1))
	d.Load(line(2), "quickstart")
	d.Expect(line(3), "acked > 0")
	r, err := d.Resolve(Overrides{Expect: []string{"sent > 0"}})
	require.NoError(t, err)
	assert.Equal(t, "quickstart", r.Name)
	assert.Equal(t, "scenarios/quickstart.yaml:12", r.found["seed"].from())
	assert.Equal(t, []string{"x.prose:3", "--expect"}, []string{r.Stated[len(r.Stated)-2].Origin, r.Stated[len(r.Stated)-1].Origin})

	d = drafted()
	d.Expect(line(7), "acked > ${env:LEAST}")
	r, err = d.Resolve(Overrides{Env: func(name string) (string, bool) { return "12", name == "LEAST" }})
	require.NoError(t, err)
	assert.Equal(t, []string{"acked > 12"}, r.Expect)
}

func TestBursts(t *testing.T) {
	for name, test := range map[string]struct {
		at, length string
		want       []string
	}{
		"within":           {"2s", "3s", []string{"hold 2s", "burst 3s", "hold-2 5s", "end 5s"}},
		"at the beginning": {"0s", "3s", []string{"burst 3s", "hold 7s", "end 5s"}},
		"at the end":       {"7s", "3s", []string{"hold 7s", "burst 3s", "end 5s"}},
		"all of it":        {"10s", "5s", []string{"hold 10s", "burst 5s"}},
		"behind it":        {"15s", "4s", []string{"hold 10s", "end 5s", "burst 4s"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := drafted()
			d.Add(line(7), "load.stages", "{name: end, for: 5s, rate: 1/s, judged: false}")
			d.Burst(line(8), test.at, test.length, "2x", "burst")
			r, err := d.Resolve(Overrides{})
			require.NoError(t, err)
			var got []string
			for _, stage := range r.Load.Stages {
				got = append(got, stage.Name+" "+stage.For.String())
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// TestEndings cuts a load of ten seconds that holds, five that ramp and five that hold.
func TestEndings(t *testing.T) {
	for at, want := range map[string]string{
		"500ms": "a 500ms",
		"2s":    "a 2s, fault early 1s, anomaly long 1s",
		"10s":   "a 10s, fault early 3s, anomaly long 9s, anomaly always",
		"17s":   "a 10s, b 5s, c 2s, fault early 3s, fault late 1s, anomaly long 10s, anomaly always",
	} {
		t.Run(at, func(t *testing.T) {
			d := drafted()
			d.Lay(line(7), []byte("load: {stages: [{name: a, for: 10s, rate: 10/s}, {name: b, for: 5s, rate: 20/s, ramp: linear}, {name: c, for: 5s, rate: 10/s}]}"))
			d.Add(line(8), "faults", "{name: early, at: 1s, for: 3s, do: cut, target: all}")
			d.Add(line(9), "faults", "{name: late, at: 16s, for: 4s, do: cut, target: all}")
			d.Add(line(10), "anomalies", "{name: long, at: 1s, for: 10s, do: stuck}")
			d.Add(line(11), "anomalies", "{name: always, at: 3s, do: stuck}")
			d.End(line(12), at)
			r, err := d.Resolve(Overrides{})
			require.NoError(t, err)
			var got []string
			for _, stage := range r.Load.Stages {
				got = append(got, stage.Name+" "+stage.For.String())
			}
			for _, fault := range r.Faults {
				got = append(got, "fault "+fault.Name+" "+fault.For.String())
			}
			for _, anomaly := range r.Anomalies {
				text := "anomaly " + anomaly.Name
				if anomaly.For != nil {
					text += " " + anomaly.For.String()
				}
				got = append(got, text)
			}
			assert.Equal(t, want, strings.Join(got, ", "))
		})
	}
}

// TestEndingsOfRepeatedFaults leaves out the repetitions that would not be over: of one that comes every three seconds, and of
// one that comes as often as fits.
func TestEndingsOfRepeatedFaults(t *testing.T) {
	for at, want := range map[string][]int{"1500ms": {1, 1}, "5s": {2, 1}, "6s": {2, 2}, "9s": {3, 3}} {
		d := drafted()
		d.Add(line(7), "faults", "{name: counted, at: 1s, for: 1s, do: cut, target: all, repeat: {every: 3s, times: 3}}")
		d.Add(line(8), "faults", "{name: endless, at: 1s, for: 1s, do: cut, target: all, repeat: {every: 3s}}")
		d.End(line(9), at)
		r, err := d.Resolve(Overrides{})
		require.NoError(t, err, at)
		assert.Equal(t, want, []int{r.Faults[0].Times(r.world()), r.Faults[1].Times(r.world())}, at)
	}
}

func TestMistakesInDrafts(t *testing.T) {
	for want, spoil := range map[string]func(d *Draft){
		"x.prose:7:5: seed: has no value (give it one, or remove the key)":                                                                                                               func(d *Draft) { d.Set(line(7), "seed", "") },
		"x.prose:7:5: is no valid YAML: did not find expected ',' or ']' (put a comma between two values and close the bracket)":                                                         func(d *Draft) { d.Set(line(7), "tags", "[a") },
		"x.prose:7:5: is no valid YAML: did not find expected ',' or '}' (put a comma between two values, close the brace, and quote what has braces of its own, as in \"${env:NAME}\")": func(d *Draft) { d.Add(line(7), "fleets", "{a") },
		"x.prose:7:5: fleets: has no item named power (known: climate)":                                                                                                                  func(d *Draft) { d.Set(line(7), "fleets.power.devices", "1") },
		"x.prose:7:5: seed: is a single value: nothing lies within it (set it as a whole)":                                                                                               func(d *Draft) { d.Add(line(7), "seed.x", "{name: a}") },
		`x.prose:7:5: faults: want a list, got "none" (write each item behind a dash, or all of them between brackets)`:                                                                  func(d *Draft) { d.Set(line(7), "faults", "none"); d.Add(line(8), "faults", "{name: a}") },
		"x.prose:7:5: this is wrong (do that)":                                                                func(d *Draft) { d.Mistake(line(7), "this is wrong", "do that") },
		"x.prose:7:5: want a mapping of keys to values, got a list (begin with version: 1)":                   func(d *Draft) { d.Lay(line(7), []byte("[a]")) },
		"x.prose:8:5: is no valid YAML: found a tab character that violates indentation (indent with spaces)": func(d *Draft) { d.Lay(line(6), []byte("a: 1\nb: 2\n\t c: 3\n")) },
		"gone.yaml:1:1: is empty (a scenario needs at least version, name, fleets and load)":                  func(d *Draft) { d.Base("gone.yaml", nil) },
		"x.prose:7:5: the scenario gone.yaml cannot be read: no such file or directory":                       func(d *Draft) { d.Load(line(7), "gone.yaml") },
		"x.prose:7:5: the shutdown after 10s must come before the load ends":                                  func(d *Draft) { d.End(line(7), "10s") },
		`x.prose:7:5: want a moment within the load, such as 2s, got "soon"`:                                  func(d *Draft) { d.End(line(7), "soon") },
		"x.prose:7:5: the shutdown falls into stage r, which ramps (let it come where a stage holds its rate)": func(d *Draft) {
			d.Add(line(6), "load.stages", "{name: r, for: 5s, rate: 1/s, ramp: linear}")
			d.End(line(7), "11s")
		},
		`x.prose:7:5: want durations with their units, such as 200ms, 5s or 1m30s, got "soon" and "5s"`:   func(d *Draft) { d.Burst(line(7), "soon", "5s", "1x", "b") },
		"x.prose:7:5: expect[0]: the environment has no variable X (set it, or write ${env:X:-fallback})": func(d *Draft) { d.Expect(line(7), "acked > ${env:X}") },
		"x.prose:7:5: load.stages: want a list, got a mapping (write each item behind a dash, or all of them between brackets)": func(d *Draft) {
			d.Set(line(7), "load.stages", "{}")
			d.Burst(line(8), "0s", "5s", "1x", "b")
		},
		`x.prose:7:5: load.stages[0].for: want a duration with its unit, such as 200ms, 5s or 1m30s, got "soon"`: func(d *Draft) {
			d.Set(line(7), "load.stages.hold.for", "soon")
			d.Burst(line(8), "0s", "5s", "1x", "b")
		},
	} {
		d := drafted()
		spoil(d)
		_, err := d.Resolve(Overrides{})
		require.Error(t, err, want)
		assert.Contains(t, strings.Split(err.Error(), "\n"), want)
	}
}

func TestUnused(t *testing.T) {
	assert.Equal(t, "a", Unused("a", nil))
	assert.Equal(t, "a-3", Unused("a", []string{"a", "a-2"}))
}
