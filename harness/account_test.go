package harness

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/producer"
)

// TestFindingsOfAlertsCountWhereTheyFellDue: what is expected of a stage or outside faults is expected of alerts, too.
func TestFindingsOfAlertsCountWhereTheyFellDue(t *testing.T) {
	r := unplayed(t, Options{}, "alerts={topic: alarms, partitions: 2}")
	r.alerts.Due(1)
	lost := r.alerts.Open(3, 300*time.Millisecond)
	require.True(t, r.alerts.Acked(3, lost, 0, 5))
	_, err := r.alerts.Close(nil)
	require.NoError(t, err)
	slices, _ := r.timeline.Close(time.Second)
	assert.EqualValues(t, 1, slices[0].Findings["acked_lost"])
}

// TestWaitsOfAnAddedPartition: records that never come back wait for the partition they were sent to, also where there was
// none of that number at the beginning; and for the one of their key where the client does not say, or says what cannot be.
func TestWaitsOfAnAddedPartition(t *testing.T) {
	for name, told := range map[string]int32{"told by the client": 7, "not told": -1, "a lie": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			r := unplayed(t, Options{}, "load.stages.hold.for=5s", "broker.brokers=3",
				"faults=[{name: grow, at: 100ms, do: add_partitions, target: device-data, to: 8}]")
			r.epoch = time.Now().Add(-5 * time.Second)
			devices := map[int32]uint32{}
			for device := range uint32(20) {
				devices[r.scenario.Producer.Partitioner.Partition(r.generator.AppendKey(nil, device), 8)] = device
			}
			require.Contains(t, devices, int32(7))
			silent := devices[7]
			r.readings.Partitions(100*time.Millisecond, time.Second, 8)
			for due := 200 * time.Millisecond; due < 5*time.Second; due += 10 * time.Millisecond {
				r.timeline.Acked(due, due, due+time.Millisecond, 3, 1) // another one goes on
				record := &producer.Record{
					Key:   r.generator.AppendKey(nil, silent),
					Token: producer.Token{Device: silent, Sequence: r.readings.Open(silent, due), Due: due, Handed: due},
				}
				require.True(t, r.outcome(producer.Outcome{
					Record: record, State: producer.Unknown, Partition: told, Offset: producer.OffsetUnset, Err: context.DeadlineExceeded,
				}))
			}
			_, gaps := r.timeline.Close(5 * time.Second)
			var longest time.Duration
			for _, gap := range gaps {
				if gap.Partition == 7 {
					longest = max(longest, gap.To-gap.From)
				}
			}
			assert.GreaterOrEqual(t, longest, 4*time.Second, "partition 7 never acknowledged anything: %v", gaps)
		})
	}
}
