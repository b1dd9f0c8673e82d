package harness

import (
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBusyShare(t *testing.T) {
	before := cpu.TimesStat{User: 100, System: 50, Idle: 1000, Iowait: 10}
	for _, test := range []struct {
		name string
		now  cpu.TimesStat
		own  float64
		want float64 // −1: unknown
	}{
		{"idle", cpu.TimesStat{User: 100, System: 50, Idle: 1002, Iowait: 10}, 0, 0},
		{"waiting for a disk is not working", cpu.TimesStat{User: 101, System: 50, Idle: 1000, Iowait: 11}, 0, 0.5},
		{"every kind of work", cpu.TimesStat{User: 101, Nice: 1, System: 51, Irq: 1, Softirq: 1, Steal: 1, Idle: 1002, Iowait: 10}, 0, 0.75},
		{"this process has its only processor to the full", cpu.TimesStat{User: 101, System: 50, Idle: 1007, Iowait: 10}, 0.97, 0.97},
		{"clocks of different grain", cpu.TimesStat{User: 102, System: 50, Idle: 1000, Iowait: 10}, 1.02, 1},
		{"no time has passed", before, 0.5, -1},
	} {
		got := busyShare(before, test.now, test.own)
		if test.want < 0 {
			assert.Nil(t, got, test.name)
			continue
		}
		require.NotNil(t, got, test.name)
		assert.InDelta(t, test.want, *got, 1e-9, test.name)
	}
}

// TestSampling keeps the evidence of hours small: it has as many samples as that of one.
func TestSampling(t *testing.T) {
	for length, want := range map[time.Duration]time.Duration{
		time.Millisecond: time.Second, 10 * time.Minute: time.Second, time.Hour: time.Second, time.Hour + 1: 2 * time.Second,
		8 * time.Hour: 8 * time.Second, longest: 12 * time.Minute,
	} {
		assert.Equal(t, want, sampling(length), length)
	}
}

func TestSampleSaysHowBusyTheMachineIs(t *testing.T) {
	times, known := machineTimes()
	if !known || times.Idle+times.User == 0 {
		t.Skip("this system does not tell what its processors do")
	}
	s := newSampler()
	s.machine = cpu.TimesStat{} // since the machine was started
	sample := s.sample(time.Second)
	require.NotNil(t, sample.Busy)
	assert.Positive(t, *sample.Busy)
	assert.LessOrEqual(t, *sample.Busy, 1.)
}
