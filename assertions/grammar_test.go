package assertions

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseExpectation(t *testing.T) {
	quantity := func(value float64, text string) Quantity { return Quantity{Value: value, Text: text} }
	for text, want := range map[string]Expectation{
		"promised":        {Promised: true},
		"acked_lost == 0": {Metric: "acked_lost", Op: Equal, Limit: quantity(0, "0")},
		"success_rate >= 99.9%": {
			Metric: "success_rate", Op: GreaterEqual, Limit: quantity(999./1000, "99.9%"),
		},
		"success_rate >= 0.999": {Metric: "success_rate", Op: GreaterEqual, Limit: quantity(0.999, "0.999")},
		"achieved_rate>=98%":    {Metric: "achieved_rate", Op: GreaterEqual, Limit: quantity(0.98, "98%")},
		"ack_latency.p99 < 50ms outside faults": {
			Metric: "ack_latency", Aggregate: "p99", Op: Less, Limit: quantity(0.05, "50ms"), Scope: Scope{Kind: OutsideFaults},
		},
		"availability_gap < 15s during fault crash": {
			Metric: "availability_gap", Op: Less, Limit: quantity(15, "15s"), Scope: Scope{Kind: DuringFault, Name: "crash"},
		},
		"e2e_latency.p99 < 250ms within 30s after fault crash": {
			Metric: "e2e_latency", Aggregate: "p99", Op: Less, Limit: quantity(0.25, "250ms"),
			Scope: Scope{Kind: Within, Name: "crash", Within: 30 * time.Second},
		},
		"partition_skew < 1.2": {Metric: "partition_skew", Op: Less, Limit: quantity(1.2, "1.2")},
		"partition_skew < 120%": {
			Metric: "partition_skew", Op: Less, Limit: quantity(1.2, "120%"),
		},
		"anomalies.hvac.detected == 100%": {
			Metric: "anomalies.NAME.detected", Name: "hvac", Op: Equal, Limit: quantity(1, "100%"),
		},
		"anomalies.hvac-2.injected > 10": {Metric: "anomalies.NAME.injected", Name: "hvac-2", Op: Greater, Limit: quantity(10, "10")},
		"faults.crash.hits >= 1":         {Metric: "faults.NAME.hits", Name: "crash", Op: GreaterEqual, Limit: quantity(1, "1")},
		"faults.crash.proven == 1":       {Metric: "faults.NAME.proven", Name: "crash", Op: Equal, Limit: quantity(1, "1")},
		"alerts.missing == 0":            {Metric: "alerts.missing", Op: Equal, Limit: quantity(0, "0")},
		"alerts.spurious != 1":           {Metric: "alerts.spurious", Op: NotEqual, Limit: quantity(1, "1")},
		"e2e_latency.p99.9 <= 2s":        {Metric: "e2e_latency", Aggregate: "p99.9", Op: LessEqual, Limit: quantity(2, "2s")},
		"blocked.max < 1m30s":            {Metric: "blocked", Aggregate: "max", Op: Less, Limit: quantity(90, "1m30s")},
		"schedule_lag.mean < 10us":       {Metric: "schedule_lag", Aggregate: "mean", Op: Less, Limit: quantity(10e-6, "10us")},
		"send_latency.min > 1ns":         {Metric: "send_latency", Aggregate: "min", Op: Greater, Limit: quantity(1e-9, "1ns")},
		"recovery_time < 0.5m during fault crash": {
			Metric: "recovery_time", Op: Less, Limit: quantity(30, "0.5m"), Scope: Scope{Kind: DuringFault, Name: "crash"},
		},
		"recovery_time < 1h":       {Metric: "recovery_time", Op: Less, Limit: quantity(3600, "1h")},
		"throughput >= 5000/s":     {Metric: "throughput", Op: GreaterEqual, Limit: quantity(5000, "5000/s")},
		"throughput >= 5000":       {Metric: "throughput", Op: GreaterEqual, Limit: quantity(5000, "5000")},
		"bytes_rate >= 1.5MiB/s":   {Metric: "bytes_rate", Op: GreaterEqual, Limit: quantity(1.5*(1<<20), "1.5MiB/s")},
		"rss.max < 2GiB":           {Metric: "rss", Aggregate: "max", Op: Less, Limit: quantity(2<<30, "2GiB")},
		"rss.slope < 1MiB/h":       {Metric: "rss", Aggregate: "slope", Op: Less, Limit: quantity(1<<20, "1MiB/h")},
		"heap.slope > -1KiB/h":     {Metric: "heap", Aggregate: "slope", Op: Greater, Limit: quantity(-1024, "-1KiB/h")},
		"goroutines.slope <= 10/h": {Metric: "goroutines", Aggregate: "slope", Op: LessEqual, Limit: quantity(10, "10/h")},
		"open_files.slope <= 0":    {Metric: "open_files", Aggregate: "slope", Op: LessEqual, Limit: quantity(0, "0")},
		"ack_latency.slope < 50ms/h": {
			Metric: "ack_latency", Aggregate: "slope", Op: Less, Limit: quantity(0.05, "50ms/h"),
		},
		"e2e_latency.slope > -1m/h outside faults": {
			Metric: "e2e_latency", Aggregate: "slope", Op: Greater, Limit: quantity(-60, "-1m/h"), Scope: Scope{Kind: OutsideFaults},
		},
		"cpu.slope < 5%/h": {Metric: "cpu", Aggregate: "slope", Op: Less, Limit: quantity(0.05, "5%/h")},
		"cpu.mean < 150% during stage hold": {
			Metric: "cpu", Aggregate: "mean", Op: Less, Limit: quantity(1.5, "150%"), Scope: Scope{Kind: DuringStage, Name: "hold"},
		},
		" due  >  5\tduring  run ": {Metric: "due", Op: Greater, Limit: quantity(5, "5"), Scope: Scope{Kind: DuringRun}},
		"failed == 0 during anomaly surge": {
			Metric: "failed", Op: Equal, Limit: quantity(0, "0"), Scope: Scope{Kind: DuringAnomaly, Name: "surge"},
		},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := ParseExpectation(text)
			require.NoError(t, err)
			assert.Empty(t, cmp.Diff(want, got))

			again, err := ParseExpectation(got.String())
			require.NoError(t, err)
			assert.Equal(t, got, again, "what String writes means the same")
		})
	}
}

func TestExpectationString(t *testing.T) {
	for text, want := range map[string]string{
		" promised ":                           "promised",
		"acked_lost==0":                        "acked_lost == 0",
		"due > 5 during  run":                  "due > 5 during run",
		"failed == 0 within 90s after fault x": "failed == 0 within 1m30s after fault x",
		"failed == 0 within 60s after fault x": "failed == 0 within 1m after fault x",
		"failed == 0 within 2h after fault x":  "failed == 0 within 2h after fault x",
		"failed == 0 outside  faults":          "failed == 0 outside faults",
		"anomalies.a.detected == 100%":         "anomalies.a.detected == 100%",
		"e2e_latency.p99.9 < 1s":               "e2e_latency.p99.9 < 1s",
	} {
		e, err := ParseExpectation(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, e.String())
	}
}

func TestParseExpectationRefuses(t *testing.T) {
	const (
		duration = "want a duration with its unit (ns us ms s m h), such as 50ms"
		number   = "want a plain number, such as 0"
		share    = "want a share between 0% and 100%, such as 99.9% or 0.999"
		within   = `want "within DURATION after fault NAME", such as "within 30s after fault crash"`
	)
	for text, want := range map[string]string{
		"":                       `empty expectation: want "promised", or a metric, an operator and a limit, such as "acked_lost == 0"`,
		"  ":                     `empty expectation: want "promised", or a metric, an operator and a limit, such as "acked_lost == 0"`,
		"promised during run":    `"promised" stands alone, got "during run" after it`,
		"== 0":                   `want a metric before "=="`,
		"acked_lost":             "acked_lost: want an operator (< <= > >= == !=) and a limit after it",
		"acked_lost is 0":        `acked_lost: want an operator (< <= > >= == !=), got "is"`,
		"acked_lost is == 0":     `acked_lost: want an operator (< <= > >= == !=), got "is"`,
		"acked_lost = 0":         `unknown operator "="; known: < <= > >= == !=`,
		"acked_lost =< 0":        `unknown operator "=<"; known: < <= > >= == !=`,
		"acked_lost ==":          "acked_lost ==: " + number + ", got nothing",
		"ack_latency < 5ms":      "ack_latency needs one of the aggregates p99 p50 p90 p99.9 min mean max slope, such as ack_latency.p99",
		"rss < 1GiB":             "rss needs one of the aggregates max mean min slope, such as rss.max",
		"acked_lost.p99 == 0":    `acked_lost takes no aggregate, got "p99"`,
		"ack_latency. < 5ms":     `unknown aggregate "" of ack_latency; known: p99 p50 p90 p99.9 min mean max slope`,
		"ack_latency.pN < 5ms":   `unknown aggregate "pN" of ack_latency; known: p99 p50 p90 p99.9 min mean max slope`,
		"ack_latency.p100 < 5ms": `unknown aggregate "p100" of ack_latency; known: p99 p50 p90 p99.9 min mean max slope`,
		"ack_latency.p0 < 5ms":   `unknown aggregate "p0" of ack_latency; known: p99 p50 p90 p99.9 min mean max slope`,
		"ack_latency.p9.9.9 < 1": `unknown aggregate "p9.9.9" of ack_latency; known: p99 p50 p90 p99.9 min mean max slope`,
		"ack_latency.avg < 5ms":  `unknown aggregate "avg" of ack_latency; known: p99 p50 p90 p99.9 min mean max slope`,
		"heap.p99 < 1GiB":        `unknown aggregate "p99" of heap; known: max mean min slope`,

		"acked_lost == many":                "acked_lost: " + number + `, got "many"`,
		"acked_lost == 5ms":                 "acked_lost: " + number + `, got "5ms"`,
		"acked_lost == 5%":                  "acked_lost: " + number + `, got "5%"`,
		"acked_lost == -1":                  "acked_lost: " + number + `, got "-1"`,
		"acked_lost == 1e3":                 "acked_lost: " + number + `, got "1e3"`,
		"acked_lost == .5":                  "acked_lost: " + number + `, got ".5"`,
		"acked_lost == 1.":                  "acked_lost: " + number + `, got "1."`,
		"acked_lost == 1.2.3":               "acked_lost: " + number + `, got "1.2.3"`,
		"ack_latency.p99 < 50":              "ack_latency.p99: " + duration + `, got "50"`,
		"ack_latency.p99 < 50KiB":           "ack_latency.p99: " + duration + `, got "50KiB"`,
		"ack_latency.p99 < 50ms/s":          "ack_latency.p99: " + duration + `, got "50ms/s"`,
		"ack_latency.p99 < -50ms":           "ack_latency.p99: " + duration + `, got "-50ms"`,
		"ack_latency.p99 < -1m30s":          "ack_latency.p99: " + duration + `, got "-1m30s"`,
		"ack_latency.p99 < 1m-30s":          `unknown unit "m-30s" of ack_latency.p99; known: ns us ms s m h`,
		"ack_latency.p99 < 50sec":           `unknown unit "sec" of ack_latency.p99; known: ns us ms s m h`,
		"ack_latency.p99 < 50 ms":           "ack_latency.p99: " + duration + `, got "50"`,
		"success_rate >= 99.9":              "success_rate: " + share + `, got "99.9"`,
		"success_rate >= 101%":              "success_rate: " + share + `, got "101%"`,
		"success_rate >= 5s":                "success_rate: " + share + `, got "5s"`,
		"partition_skew < 2x":               `unknown unit "x" of partition_skew; known: %`,
		"partition_skew < 2s":               `partition_skew: want a number, such as 1.2 or 120%, got "2s"`,
		"rss.max < 512":                     `rss.max: want a size with its unit (B KiB MiB GiB), such as 512MiB, got "512"`,
		"rss.max < 512MB":                   `unknown unit "MB" of rss.max; known: B KiB MiB GiB`,
		"rss.slope < 1MiB":                  `rss.slope: want bytes per hour (B/h KiB/h MiB/h GiB/h), such as 1MiB/h, got "1MiB"`,
		"rss.slope < 1MiB/s":                `rss.slope: want bytes per hour (B/h KiB/h MiB/h GiB/h), such as 1MiB/h, got "1MiB/s"`,
		"goroutines.slope < 1s":             `goroutines.slope: want a change per hour, such as 10/h, got "1s"`,
		"goroutines.slope < --1":            `goroutines.slope: want a change per hour, such as 10/h, got "--1"`,
		"ack_latency.slope < 1s":            `ack_latency.slope: want a time per hour (ns/h us/h ms/h s/h m/h h/h), such as 50ms/h, got "1s"`,
		"ack_latency.slope < 0":             `ack_latency.slope: want a time per hour (ns/h us/h ms/h s/h m/h h/h), such as 50ms/h, got "0"`,
		"ack_latency.slope < 1m30s/h":       `unknown unit "m30s/h" of ack_latency.slope; known: ns/h us/h ms/h s/h m/h h/h`,
		"cpu.slope < 1s":                    `cpu.slope: want a change per hour, such as 0.5/h or 50%/h, got "1s"`,
		"throughput > 5ms":                  `throughput: want records per second, such as 5000/s, got "5ms"`,
		"throughput > 5/h":                  `throughput: want records per second, such as 5000/s, got "5/h"`,
		"bytes_rate > 5MiB":                 `bytes_rate: want bytes per second (B/s KiB/s MiB/s GiB/s), such as 10MiB/s, got "5MiB"`,
		"due > " + strings.Repeat("9", 400): `due: ` + number + `, got "` + strings.Repeat("9", 400) + `"`,

		"due > 1 while run":                     `unknown scope "while"; known: during outside within`,
		"due > 1 during":                        `want "run", "stage NAME", "fault NAME" or "anomaly NAME" after "during", got nothing`,
		"due > 1 during hold":                   `unknown phase "hold"; known: run stage fault anomaly`,
		"due > 1 during stage":                  `want the name of the stage after "during stage", got nothing`,
		"due > 1 during stage Hold":             `want a name of lower-case letters, digits and dashes that begins with a letter, got "Hold"`,
		"due > 1 during run twice":              `want nothing after "during run", got "twice"`,
		"due > 1 during fault a during run":     `want nothing after "during fault a", got "during run"`,
		"due > 1 outside":                       `want "outside faults", got "outside"`,
		"due > 1 outside fault x":               `want "outside faults", got "outside fault x"`,
		"due > 1 outside faults x":              `want nothing after "outside faults", got "x"`,
		"due > 1 within 3s":                     within + `, got "within 3s"`,
		"due > 1 within 3s of fault x":          within + `, got "within 3s of fault x"`,
		"due > 1 within 3s after stage x":       within + `, got "within 3s after stage x"`,
		"due > 1 within 3 after fault x":        `want a duration above zero with its unit (ns us ms s m h) after "within", such as 30s, got "3"`,
		"due > 1 within 0s after fault x":       `want a duration above zero with its unit (ns us ms s m h) after "within", such as 30s, got "0s"`,
		"due > 1 within 3s after fault X":       `want a name of lower-case letters, digits and dashes that begins with a letter, got "X"`,
		"due > 1 within 3s after fault x twice": `want nothing after "within 3s after fault x", got "twice"`,
	} {
		t.Run(text, func(t *testing.T) {
			_, err := ParseExpectation(text)
			assert.EqualError(t, err, want)
		})
	}
}

func TestUnknownMetricListsTheTable(t *testing.T) {
	_, err := ParseExpectation("acked_lots == 0")
	var unknown *UnknownName
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, "metric", unknown.Kind)
	assert.Equal(t, "acked_lots", unknown.Got)
	assert.Len(t, unknown.Known, len(Metrics()))
	assert.Contains(t, unknown.Known, "acked_lost")
	assert.Contains(t, unknown.Known, "anomalies.NAME.detected")

	// A name that is already there is kept, so that the nearest metric can be written as it is offered.
	_, err = ParseExpectation("anomalies.hvac.detekted == 100%")
	require.ErrorAs(t, err, &unknown)
	assert.Contains(t, unknown.Known, "anomalies.hvac.detected")
	assert.Contains(t, unknown.Known, "faults.NAME.hits")

	for _, text := range []string{
		"anomalies.detected == 1", "anomalies.Hvac.detected == 1", "anomalies.hvac == 1", "anomalies.hvac.detectedly == 1", "dues > 1", "du > 1",
	} {
		_, err = ParseExpectation(text)
		require.ErrorAs(t, err, &unknown, text)
		assert.Equal(t, "metric", unknown.Kind, text)
	}
}

// What is held against the table is the word that can be in it, so that the nearest name is found.
func TestUnknownMetricIsNamedAlone(t *testing.T) {
	for text, want := range map[string]string{
		"ack_latncy.p99 < 50ms":          "ack_latncy",
		"ack_latncy.p99.9 < 50ms":        "ack_latncy",
		"rsss.slope < 1MiB/h":            "rsss",
		"anomalies.hvac.detekted == 1":   "anomalies.hvac.detekted",
		"anomalies.hvac.detekted.p9 > 1": "anomalies.hvac.detekted",
		"ack_latncy.p9x < 50ms":          "ack_latncy.p9x",
		"promise":                        "promise",
		"promisd":                        "promisd",
		"promise == 0":                   "promise",
	} {
		_, err := ParseExpectation(text)
		var unknown *UnknownName
		require.ErrorAs(t, err, &unknown, text)
		assert.Equal(t, want, unknown.Got, text)
		assert.Equal(t, !strings.Contains(text, " "), slices.Contains(unknown.Known, "promised"), text)
	}
}

func TestCheck(t *testing.T) {
	names := Names{
		Stages: []string{"ramp", "hold"}, Faults: []string{"crash"}, Anomalies: []string{"hvac"},
		Setting: Setting{Acks: "all", Partitioner: "hash", FixedPartition: true, Alerts: true},
	}
	none := Names{Setting: Setting{Acks: "0", Partitioner: "failover"}}
	const whole = ": it is known for the whole run only"
	for _, test := range []struct {
		text  string
		names Names
		want  string // empty: allowed
	}{
		{"promised", names, ""},
		{"promised", none, ""},
		{"acked_lost == 0 during stage hold", names, ""},
		{"acked_lost == 0 during stage holt", names, `unknown stage "holt"; known: ramp hold`},
		{"acked_lost == 0 during fault crash", none, `unknown fault "crash": there is none`},
		{"acked_lost == 0 within 3s after fault slow", names, `unknown fault "slow"; known: crash`},
		{"acked_lost == 0 during anomaly hvac", names, ""},
		{"acked_lost == 0 during anomaly crash", names, `unknown anomaly "crash"; known: hvac`},
		{"anomalies.hvac.detected == 100%", names, ""},
		{"anomalies.crash.detected == 100%", names, `unknown anomaly "crash"; known: hvac`},
		{"faults.crash.hits > 0", names, ""},
		{"faults.hvac.hits > 0", names, `unknown fault "hvac"; known: crash`},
		{"acked_lost == 0", none, ""},
		{"success_rate >= 99%", names, ""},
		{"success_rate >= 99%", none, "success_rate has no meaning with acks=0: a record counts as acknowledged as soon as it is written to the socket"},
		{"offset_mismatches == 0", none, "offset_mismatches has no meaning with acks=0: no offset is ever acknowledged"},
		{"wrong_partition == 0", none, "wrong_partition has no meaning with the partitioner failover: it promises no partition to a key"},
		{"wrong_partition == 0", names, ""},
		{"alerts.missing == 0", names, ""},
		{"alerts.missing == 0", none, "alerts.missing has no meaning without alerts: the scenario names no topic for them"},
		{"alerts.spurious == 0", none, "alerts.spurious has no meaning without alerts: the scenario names no topic for them"},
		{"recovery_time < 3s", names, ""},
		{"recovery_time < 3s", none, "recovery_time has no meaning without a fault to recover from"},
		{"recovery_time < 3s during fault crash", names, ""},
		{"recovery_time < 3s during stage hold", names, `recovery_time cannot be asked during stage hold: it belongs to a fault, so the only scope it takes is "during fault NAME"`},
		{"phantoms == 0 during run", names, ""},
		{"phantoms == 0 during stage hold", names, "phantoms cannot be asked during stage hold" + whole},
		{"corrupt == 0 outside faults", names, "corrupt cannot be asked outside faults" + whole},
		{"partition_skew < 2 within 1m after fault crash", names, "partition_skew cannot be asked within 1m after fault crash" + whole},
		{"anomalies.hvac.injected > 0 during stage hold", names, "anomalies.hvac.injected cannot be asked during stage hold" + whole},
		{"alerts.missing == 0 during stage hold", names, "alerts.missing cannot be asked during stage hold" + whole},
		{"faults.crash.proven == 1 during fault crash", names, "faults.crash.proven cannot be asked during fault crash" + whole},
		{"rss.max < 1GiB during fault crash", names, ""},
		{"blocked.slope < 1s/h within 3s after fault crash", names, "blocked.slope cannot be asked within 3s after fault crash: a slope takes minutes, which is no measure of single seconds"},
		{"rss.max < 1GiB within 3s after fault crash", names, "rss.max cannot be asked within 3s after fault crash: the harness is sampled once a second, which is no measure of single seconds"},
		{"ack_latency.p99 < 1s outside faults", none, ""},
	} {
		e, err := ParseExpectation(test.text)
		require.NoError(t, err, test.text)
		if test.want == "" {
			require.NoError(t, e.Check(test.names), test.text)
			continue
		}
		require.EqualError(t, e.Check(test.names), test.want, test.text)
	}

	var unknown *UnknownName
	assert.ErrorAs(t, Expectation{Metric: "made_up"}.Check(names), &unknown, "an expectation that was not parsed")
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"hold", "a", "leader-crash", "x2", "p99", "faulty"} {
		require.NoError(t, CheckName(name), name)
	}
	for _, name := range []string{"", "Hold", "2x", "-a", "a_b", "a b", "a.b", "ä"} {
		require.EqualError(t, CheckName(name), `want a name of lower-case letters, digits and dashes that begins with a letter, got "`+name+`"`)
	}
	for _, name := range []string{"promised", "run", "stage", "fault", "faults", "anomaly", "during", "outside", "within", "after", "min", "mean", "max", "slope"} {
		assert.EqualError(t, CheckName(name), `"`+name+`" is a word of the expectation grammar and cannot be a name`)
	}
}

func TestOpHolds(t *testing.T) {
	for _, test := range []struct {
		op         Op
		low, high  float64
		met, known bool
	}{
		{Less, 1, 4, true, true}, {Less, 5, 6, false, true}, {Less, 4, 6, false, false}, {Less, 4, 5, false, false},
		{LessEqual, 4, 5, true, true}, {LessEqual, 6, 7, false, true}, {LessEqual, 5, 6, false, false},
		{Greater, 6, 7, true, true}, {Greater, 4, 5, false, true}, {Greater, 5, 6, false, false},
		{GreaterEqual, 5, 7, true, true}, {GreaterEqual, 3, 4, false, true}, {GreaterEqual, 4, 5, false, false},
		{Equal, 5, 5, true, true}, {Equal, 6, 7, false, true}, {Equal, 3, 4, false, true}, {Equal, 5, 6, false, false}, {Equal, 4, 5, false, false},
		{NotEqual, 5, 5, false, true}, {NotEqual, 6, 7, true, true}, {NotEqual, 5, 6, false, false},
	} {
		met, known := test.op.holds(test.low, test.high, 5)
		assert.Equal(t, test.known, known, "%v", test)
		if known {
			assert.Equal(t, test.met, met, "%v", test)
		}
	}
}

func TestOpBadness(t *testing.T) {
	for op, worst := range map[Op]float64{Less: 9, LessEqual: 9, Greater: 1, GreaterEqual: 1, Equal: 9, NotEqual: 4} {
		got := 1.
		for _, figure := range []float64{4, 9} {
			if op.badness(figure, 4) > op.badness(got, 4) {
				got = figure
			}
		}
		assert.InDelta(t, worst, got, 0, op)
	}
}

func FuzzParseExpectation(f *testing.F) {
	for _, metric := range Metrics() {
		f.Add(strings.Replace(metric.Name, placeholder, "crash", 1) + " == 0")
	}
	for _, seed := range []string{
		"promised", "", "ack_latency.p99 < 50ms outside faults", "availability_gap < 1m30s during fault crash",
		"e2e_latency.p99.9 <= 250us within 30s after fault crash", "rss.slope < -1MiB/h during run", "success_rate >= 99.9%", "throughput>5000/s",
		"bytes_rate != 1GiB/s during stage hold", "cpu.mean < 50% during anomaly a-1", "acked_lost =< 0", "== 1", "due > 1 within 9999999h after fault x",
	} {
		f.Add(seed)
	}
	names := Names{Stages: []string{"hold"}, Faults: []string{"crash"}, Anomalies: []string{"a-1"}, Setting: Setting{Acks: "all", Alerts: true}}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseExpectation(text)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		again, err := ParseExpectation(e.String())
		require.NoError(t, err)
		require.Equal(t, e, again)
		require.True(t, finite(e.Limit.Value))
		if err := e.Check(names); err != nil {
			require.NotEmpty(t, err.Error())
		}
	})
}
