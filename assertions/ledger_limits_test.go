package assertions

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLedgerCountsWhatItIsTold(t *testing.T) {
	l := NewLedger(LedgerConfig{Name: "alerts", Topic: "alerts", Devices: 2, Key: testKey})
	l.Due(7)
	l.Unsent(2)
	l.Missing(4)
	l.Copied(5)
	l.Late(6)
	for range 5 {
		l.Open(1, time.Second)
	}
	l.Acked(1, 0, 0, 7)
	l.Failed(1, 1)
	l.Unknown(1, 2)
	l.Seen(Sighting{Device: 1, Sequence: 0, Offset: 7})
	l.Phantom(0, 8, 0, "another run's")
	l.Acked(1, 3, 0, -1)
	require.Equal(t, Counts{
		Due: 7, Sent: 5, Acked: 2, NoOffset: 1, Failed: 1, Unknown: 1, Unsent: 2, Consumed: 2, Missing: 4, Copies: 5, Late: 6,
	}, l.Counts())
	stream, err := l.Close(nil)
	require.NoError(t, err)
	require.EqualValues(t, 2, stream.Counts.Unknown)
}

func TestLedgerCloseRefusesSumsThatDoNotAddUp(t *testing.T) {
	l := NewLedger(LedgerConfig{Name: "readings", Devices: 1, Key: testKey})
	l.Due(5)
	l.Unsent(1)
	l.Open(0, 0)
	_, err := l.Close(nil)
	require.EqualError(t, err, "close ledger of readings: due 5 is not sent 1 + shed 0 + unsent 1")
	require.Equal(t,
		[]string{"due 9 is not sent 7 + shed 1 + unsent 2", "sent 7 is not acked 3 + failed 2 + unknown 1"},
		Counts{Due: 9, Sent: 7, Acked: 3, Failed: 2, Unknown: 1, Shed: 1, Unsent: 2}.problems())
}

func TestLedgerCannotExpectWithoutPartitions(t *testing.T) {
	l := NewLedger(LedgerConfig{Name: "readings", Devices: 1, Key: testKey, Expect: testExpect})
	l.Due(1)
	l.Open(0, 0)
	l.Seen(Sighting{})
	_, err := l.Close(nil)
	require.EqualError(t, err, "close ledger of readings: see d0 #0: the number of partitions was never told")
}

func TestLedgerKeepsTheFirstOffendersByDueTime(t *testing.T) {
	const lost = 2*MaxOffenders + 500
	l := NewLedger(LedgerConfig{Name: "readings", Devices: 1, Key: testKey, Expect: func(uint32, int) int32 { return 0 }})
	l.Partitions(0, 0, 2)
	for range lost {
		l.Open(0, 0)
	}
	for n := range uint64(lost) {
		// The latest come first.
		l.Seen(Sighting{Sequence: n, Due: time.Duration(lost - n), Partition: 1})
	}
	l.Due(lost)
	stream, err := l.Close(nil)
	require.NoError(t, err)
	found := stream.Findings["wrong_partition"]
	require.EqualValues(t, lost, found.Count)
	require.Len(t, found.First, MaxOffenders)
	for i, o := range found.First {
		require.EqualValues(t, i+1, o.Due)
		require.EqualValues(t, lost-i-1, o.Sequence)
	}
}

// ends24 are the end offsets of 24 partitions, which records are appended to.
type ends24 [24]int64

func (e *ends24) append(partition int32) int64 {
	e[partition]++
	return e[partition] - 1
}

// healthy accounts for records in turn over all devices, with so many in flight, from number from to number to. Where more
// are in flight than there are devices, the rest are in the tables.
func healthy(l *Ledger, ends *ends24, devices, flight, from, to int) {
	for n := from; n < to+flight; n++ {
		if n < to {
			l.Due(1)
			l.Open(uint32(n%devices), time.Duration(n))
		}
		if settled := n - flight; settled >= from {
			device, sequence := uint32(settled%devices), uint64(settled/devices)
			partition := testExpect(device, 24)
			offset := ends.append(partition)
			l.Acked(device, sequence, partition, offset)
			l.Seen(Sighting{
				Device: device, Sequence: sequence, Due: time.Duration(settled), At: time.Duration(n), Partition: partition, Offset: offset,
			})
		}
	}
}

func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools hold goes with the second
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestLedgerMemoryOfAHealthyRun(t *testing.T) {
	const devices, flight = 20_000, 1000
	before := heap()
	l := NewLedger(LedgerConfig{
		Name: "readings", Devices: devices, Key: testKey, Expect: testExpect, Memory: 72 * devices,
	})
	l.Partitions(0, 0, 24)
	var ends ends24
	healthy(l, &ends, devices, flight, 0, 3*devices)
	after3 := l.Memory()
	healthy(l, &ends, devices, flight, 3*devices, 20*devices)

	t.Logf("%.1f bytes a device", float64(l.Memory())/devices)
	assert.Equal(t, after3, l.Memory(), "it grows with the records")
	assert.LessOrEqual(t, l.Memory(), int64(72*devices))
	assert.False(t, l.Exceeded())
	assert.InEpsilon(t, heap()-before, l.Memory(), 0.15, "the estimate is off")
	stream, err := l.Close(nil)
	require.NoError(t, err)
	require.EqualValues(t, 20*devices, stream.Counts.Acked)
	for finding, found := range stream.Findings {
		require.Zero(t, found.Count, finding)
	}
}

// A run in which one record in a hundred is given up, in bursts over all devices, half of them stored and half of
// what is stored stored twice, takes at most four bits a record.
func TestLedgerMemoryOfAFaultyRun(t *testing.T) {
	const devices, records, period, burst = 250, 1_500_000, 25_000, 250
	before := heap()
	l := NewLedger(LedgerConfig{Name: "readings", Devices: devices, Key: testKey, Memory: math.MaxInt64})
	for n := range records {
		device, sequence := uint32(n%devices), uint64(n/devices)
		l.Open(device, time.Duration(n))
		at := Sighting{Device: device, Sequence: sequence, Due: time.Duration(n), Offset: int64(n)}
		switch {
		case n%period >= burst:
			l.Acked(device, sequence, 0, at.Offset)
			l.Seen(at)
		case n%2 == 0:
			l.Unknown(device, sequence)
		default:
			l.Unknown(device, sequence)
			l.Seen(at)
			if n%4 == 1 {
				l.Seen(at)
			}
		}
	}
	t.Logf("%.2f bits a record", float64(l.Memory())*8/records)
	assert.LessOrEqual(t, l.Memory(), int64(records/2))
	assert.InEpsilon(t, heap()-before, l.Memory(), 0.15, "the estimate is off")
	runtime.KeepAlive(l)
}

// What is kept of records that were seen twice before their outcome is given back with it.
func TestLedgerForgetsFurtherPlaces(t *testing.T) {
	l := NewLedger(LedgerConfig{Name: "readings", Devices: 1, Key: testKey})
	outcomes := []func(sequence uint64){
		func(sequence uint64) { l.Acked(0, sequence, 0, 1) },
		func(sequence uint64) { l.Acked(0, sequence, 0, 2) },
		func(sequence uint64) { l.Acked(0, sequence, 0, 3) },
		func(sequence uint64) { l.Failed(0, sequence) },
		func(sequence uint64) { l.Unknown(0, sequence) },
	}
	for range outcomes {
		sequence := l.Open(0, 0)
		l.Seen(Sighting{Sequence: sequence, Offset: 1})
		before := l.Memory()
		l.Seen(Sighting{Sequence: sequence, Offset: 2})
		require.Greater(t, l.Memory(), before)
	}
	require.Len(t, l.shards[0].further, len(outcomes))
	for sequence, outcome := range outcomes {
		outcome(uint64(sequence))
	}
	require.Equal(t, map[identity][]place{{0, 2}: {{0, 1}}}, l.shards[0].further, "where the one was first seen that was acknowledged elsewhere")
	l.Seen(Sighting{Sequence: 2, Offset: 3})
	require.Empty(t, l.shards[0].further)
}

func TestLedgerExceedsItsCapWhenRecordsAreLost(t *testing.T) {
	l := NewLedger(LedgerConfig{Name: "readings", Devices: 10, Key: testKey, Memory: 1 << 20})
	require.False(t, l.Exceeded())
	for n := range 30_000 {
		l.Open(uint32(n%10), 0)
	}
	require.True(t, l.Exceeded())
}

func TestLedgerMemoryCountsTheSecondScanAndTheStrays(t *testing.T) {
	l := NewLedger(LedgerConfig{Name: "readings", Devices: 1000, Key: testKey})
	healthy(l, new(ends24), 1000, 10, 0, 1000)
	before := l.Memory() - l.taken.bytes() // which begins anew
	l.Rescan()
	scanning := l.Memory()
	require.Greater(t, scanning, before+1000*48)
	var ends ends24
	for n := range uint32(1000) {
		partition := testExpect(n, 24)
		l.Seen(Sighting{Device: n, Partition: partition, Offset: ends.append(partition)})
	}
	scanned := l.Memory()
	require.Positive(t, l.taken.bytes())
	require.Equal(t, scanning+1000*runSize+l.taken.bytes(), scanned)
	for n := range int64(1000) {
		l.Phantom(0, 2*n, 0, "another run's")
	}
	require.GreaterOrEqual(t, l.strays.bytes(), 1000*runSize)
	require.Equal(t, scanned+l.strays.bytes()+l.findings[phantoms].bytes(), l.Memory())
}

func TestLedgerDoesNotAllocateInSteadyState(t *testing.T) {
	const devices = 1000
	for _, flight := range []int{500, 3500} {
		l := NewLedger(LedgerConfig{Name: "readings", Devices: devices, Key: testKey, Expect: testExpect})
		l.Partitions(0, 0, 24)
		var ends ends24
		healthy(l, &ends, devices, flight, 0, 4*devices)
		round := 4
		allocations := testing.AllocsPerRun(10, func() {
			healthy(l, &ends, devices, flight, round*devices, (round+4)*devices)
			round += 4
		})
		require.Zero(t, allocations, "%d in flight", flight)
	}
}

// What goes on in a run goes on here at once: senders, outcomes, the tail and whoever looks at the figures.
func TestLedgerIsSafeForConcurrentUse(t *testing.T) {
	const senders, devices, each = 4, 64, 200
	var calls sync.Map
	l := NewLedger(LedgerConfig{
		Name: "readings", Devices: devices, Key: testKey, Expect: testExpect, Memory: math.MaxInt64,
		Found: func(metric string, _ time.Duration) { calls.Store(metric, true) },
	})
	l.Partitions(0, 0, 24)
	stop := make(chan struct{})
	var looking, working sync.WaitGroup
	looking.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				counts := l.Counts()
				assert.GreaterOrEqual(t, counts.Due, int64(0))
				assert.False(t, l.Exceeded())
			}
		}
	})
	for sender := range senders {
		sent, stored := make(chan identity, 100), make(chan identity, 100)
		working.Go(func() {
			for n := range each * devices / senders {
				device := uint32(n%(devices/senders)*senders + sender)
				l.Due(1)
				id := identity{device, l.Open(device, time.Duration(n))}
				sent <- id
				stored <- id
			}
			close(sent)
			close(stored)
		})
		working.Go(func() {
			for id := range sent {
				switch id.sequence % 50 {
				case 7:
					l.Unknown(id.device, id.sequence)
				case 8:
					l.Failed(id.device, id.sequence)
				default:
					l.Acked(id.device, id.sequence, testExpect(id.device, 24), int64(id.sequence))
				}
			}
		})
		working.Go(func() {
			for id := range stored {
				at := Sighting{
					Device: id.device, Sequence: id.sequence, Partition: testExpect(id.device, 24), Offset: int64(id.sequence),
				}
				if id.sequence%50 == 9 {
					continue
				}
				l.Seen(at)
				if id.sequence%50 == 10 {
					l.Seen(at)
				}
			}
			l.Phantom(0, int64(sender), 0, "another run's")
		})
	}
	working.Wait()
	close(stop)
	looking.Wait()
	stream, err := l.Close(nil)
	require.NoError(t, err)
	const odd = devices * each / 50
	require.Equal(t, Counts{
		Due: devices * each, Sent: devices * each, Acked: devices*each - 2*odd, Failed: odd, Unknown: odd,
		Consumed: devices*each + senders,
	}, stream.Counts)
	for finding, found := range stream.Findings {
		want := map[string]int64{"acked_lost": odd, "failed_but_stored": odd, "duplicates": odd, "phantoms": senders}
		require.Equal(t, want[finding], found.Count, finding)
		_, called := calls.Load(finding)
		require.Equal(t, want[finding] > 0 && finding != "phantoms", called, finding)
	}
}

func ExampleLedger() {
	l := NewLedger(LedgerConfig{
		Name: "readings", Topic: "device-data", Devices: 1,
		Key: func(device uint32) string { return fmt.Sprintf("climate-%04d", device) },
	})
	l.Due(1)
	sequence := l.Open(0, 4100*time.Millisecond)
	l.Acked(0, sequence, 3, 17)
	stream, err := l.Close(map[int32]int64{3: 17})
	lost := stream.Findings["acked_lost"].First[0]
	fmt.Println(lost.Device, lost.Sequence, lost.Due, lost.Partition, lost.Offset, err)
	fmt.Println(lost.Note)
	// Output:
	// climate-0000 0 4.1s 3 17 <nil>
	// acknowledged, never read back: its partition ends at offset 17
}

// TestLedgerTellsAnOutcomeThatCannotBe counts nothing for a second outcome, and for one of a record never handed over.
func TestLedgerTellsAnOutcomeThatCannotBe(t *testing.T) {
	l := NewLedger(LedgerConfig{Name: "readings", Devices: 1, Key: testKey})
	l.Due(3)
	for range 3 {
		l.Open(0, 0)
	}
	require.True(t, l.Acked(0, 0, 0, 7))
	require.True(t, l.Failed(0, 1))
	require.True(t, l.Unknown(0, 2))
	before := l.Counts()
	for sequence := range uint64(4) {
		require.False(t, l.Acked(0, sequence, 0, 7))
		require.False(t, l.Failed(0, sequence))
		require.False(t, l.Unknown(0, sequence))
	}
	require.Equal(t, before, l.Counts())
	_, err := l.Close(nil)
	require.EqualError(t, err, "close ledger of readings: acknowledge d0 #0: it has its outcome, or was never handed over")
}
