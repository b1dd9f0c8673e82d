package main

import (
	"fmt"
	"strings"
)

// A rate is kept when, in the stage that is judged,
//
//   - at least 99.5 % of what was due was handed over before the load ended,
//   - the 99th percentile of the acknowledgements stayed below a second, counted from when a record was due, and
//   - no backlog grew: the median acknowledgement of the last third took at most twice as long as that of the first, and
//     50 ms more.
//
// Besides, no record of the control may fail, and fleetproof must pass every expectation. The growth is that of the median
// because a backlog holds up every record behind it, while one pause of the machine can move the 99th percentile of a third.
const (
	achievedFloor = 0.995
	ackLimit      = 1. // second
	growthFactor  = 2
	growthMargin  = 0.05 // seconds
)

// measurement is one child's run. Latencies are in seconds, from when a record was due.
type measurement struct {
	achieved float64    // share of what was due in the judged stage that was handed over before the load ended
	ack      float64    // p99 of the acknowledgements
	thirds   [3]float64 // their medians in each third of the judged stage
	why      []string   // the rate was not kept
	cpu      float64    // seconds for a million records
	lag      float64    // p99 of the schedule lag
	rss      float64    // bytes
	total    int64      // records
}

func (m *measurement) kept() bool { return len(m.why) == 0 }

func (m *measurement) reason() string { return strings.Join(m.why, "; ") }

// judge adds what both contenders are held to.
func (m *measurement) judge() {
	if m.achieved < achievedFloor {
		m.miss("%.2f %% of what was due was handed over in time", 100*m.achieved)
	}
	if m.ack >= ackLimit {
		m.miss("the p99 of the acknowledgements was %.3g s", m.ack)
	}
	if first, last := m.thirds[0], m.thirds[2]; last > growthFactor*first+growthMargin {
		m.miss("a backlog grew: the median acknowledgement took %.3g ms in the first third and %.3g ms in the last",
			1000*first, 1000*last)
	}
}

func (m *measurement) miss(format string, values ...any) {
	m.why = append(m.why, fmt.Sprintf(format, values...))
}
