// Package assertions accounts for every record of a run and judges the run by it.
//
//	producer's outcomes ──▶ ┌────────┐
//	                        │ Ledger │──▶ Stream ──┐
//	records read back ────▶ └────────┘             │               expectations
//	                        ┌──────────┐           ▼                    │
//	what was due, sent, ──▶ │ Timeline │──▶ Slices, Gaps ──▶ Evidence ──▶ Judge ──▶ Result
//	acked, consumed         └──────────┘           ▲
//	readings of a device ─▶ Detector ──────────────┘
//
// It takes outcomes, sightings and moments, already stripped of whatever client, topic or payload they came from. It
// gives Evidence, which is plain data that can be written down, and from evidence and expectations a Result. It knows
// neither YAML nor Kafka nor Docker, holds no clock, and starts no goroutine.
//
// Recording and judging are apart. The ledger and the timeline only record; Judge is a pure function of what they
// recorded, so that an old run can be judged again at a desk, and against other expectations.
//
// Three ideas run through the judge. Every figure is known to lie between two bounds, which differ where stalls of
// the machine, an unread log or scattered samples blur it, and a verdict is only given where both bounds agree. No
// data is not a pass. And what the harness failed to do, such as to keep its own schedule, never counts against the
// pipeline, nor for it.
//
// The closed table of metrics (Metrics) is the only place that knows what can be expected; the grammar
// (ParseExpectation), the documentation and the judge all read it.
package assertions
