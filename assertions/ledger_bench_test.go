package assertions

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkLedger accounts for one record an operation: opened, acknowledged and seen, over ten thousand devices, with fewer
// in flight than there are devices and with more, most of which are then in the tables.
func BenchmarkLedger(b *testing.B) {
	for _, flight := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("%d in flight", flight), func(b *testing.B) {
			const devices = 10_000
			l := NewLedger(LedgerConfig{
				Name: "readings", Devices: devices,
				Key:    func(uint32) string { return "climate-0042" },
				Expect: func(device uint32, partitions int) int32 { return int32(device) % int32(partitions) },
				Found:  func(metric string, _ time.Duration) { b.Fatal("found " + metric) },
			})
			l.Partitions(0, 0, 24)
			var ends ends24
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				l.Open(uint32(n%devices), time.Duration(n))
				if settled := n - flight; settled >= 0 {
					device, sequence := uint32(settled%devices), uint64(settled/devices)
					due, partition := time.Duration(settled), int32(device)%24
					at := Sighting{
						Device: device, Sequence: sequence, Due: due, At: due + time.Millisecond,
						Partition: partition, Offset: ends.append(partition),
					}
					if settled%2 == 0 {
						l.Acked(device, sequence, partition, at.Offset)
						l.Seen(at)
					} else {
						l.Seen(at)
						l.Acked(device, sequence, partition, at.Offset)
					}
				}
				n++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkLedgerOfLostAcknowledgements accounts for one record an operation, with the outcomes and sightings of a
// producer and a consumer that stand in memory: 10,000 devices, 24 partitions, 20,000 records in flight, which is a fifth
// of a second at 100,000 a second. Of 100,000 records in a row the acknowledgements of 1,000 are lost, and the client
//
//	gives up    reports them as unknown, though they are stored
//	resends     stores them again and is told of the second place
//	is told     by the broker that it has them already, which is an acknowledgement without an offset
//
// It reports ledger operations a second (Open, Acked or Unknown, Seen), and bits a record: the most that the ledger has
// held at any window's end, without what it holds of devices and of records in flight, for all records until then. To run
// it over 100 million records: -benchtime 100000000x.
func BenchmarkLedgerOfLostAcknowledgements(b *testing.B) {
	for _, name := range []string{"gives up", "resends", "is told"} {
		b.Run(name, func(b *testing.B) {
			const devices, flight, window = 10_000, 20_000, 1_000_000
			l := NewLedger(LedgerConfig{
				Name: "readings", Devices: devices, Key: testKey, Expect: testExpect, Found: func(string, time.Duration) {},
			})
			l.Partitions(0, 0, 24)
			var ends ends24
			account := func(n int) (operations int) {
				l.Open(uint32(n%devices), time.Duration(n))
				if n < flight {
					return 1
				}
				n -= flight
				device, sequence := uint32(n%devices), uint64(n/devices)
				partition := testExpect(device, 24)
				at := Sighting{
					Device: device, Sequence: sequence, Due: time.Duration(n), At: time.Duration(n) + time.Millisecond,
					Partition: partition, Offset: ends.append(partition),
				}
				lost := n%100_003 < 1_000 // not the same devices each time
				switch {
				case !lost && n%2 == 0: // live reading back is as often before the acknowledgement as after it
					l.Acked(device, sequence, partition, at.Offset)
					l.Seen(at)
					return 3
				case !lost:
					l.Seen(at)
					l.Acked(device, sequence, partition, at.Offset)
					return 3
				case name == "gives up":
					l.Seen(at)
					l.Unknown(device, sequence)
					return 3
				case name == "resends":
					l.Seen(at)
					at.Offset = ends.append(partition)
					l.Seen(at)
					l.Acked(device, sequence, partition, at.Offset)
					return 4
				default:
					l.Seen(at)
					l.Acked(device, sequence, partition, offsetUntold)
					return 3
				}
			}
			n, operations := 0, 0
			for ; n < window; n++ {
				account(n)
			}
			before, worst := l.Memory(), 0.
			b.ReportAllocs()
			for b.Loop() {
				operations += account(n)
				if n++; n%window == 0 {
					worst = max(worst, float64(l.Memory()-before)*8/float64(n))
				}
			}
			worst = max(worst, float64(l.Memory()-before)*8/float64(n))
			b.ReportMetric(float64(operations)/b.Elapsed().Seconds(), "operations/s")
			b.ReportMetric(worst, "bits/record")
		})
	}
}

// BenchmarkLedgerOfFleets accounts for one record an operation in a healthy run of fleets of different sizes, with 20,000
// records in flight, and reports the bytes a device that the ledger holds, those records included.
func BenchmarkLedgerOfFleets(b *testing.B) {
	for _, devices := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("%d devices", devices), func(b *testing.B) {
			const flight = 20_000
			l := NewLedger(LedgerConfig{Name: "readings", Devices: devices, Key: testKey, Expect: testExpect})
			l.Partitions(0, 0, 24)
			var ends ends24
			n := 0
			for b.Loop() {
				l.Open(uint32(n%devices), time.Duration(n))
				if settled := n - flight; settled >= 0 {
					device, sequence := uint32(settled%devices), uint64(settled/devices)
					at := Sighting{
						Device: device, Sequence: sequence, Due: time.Duration(settled), At: time.Duration(n), Partition: testExpect(device, 24),
					}
					at.Offset = ends.append(at.Partition)
					l.Acked(device, sequence, at.Partition, at.Offset)
					l.Seen(at)
				}
				n++
			}
			b.ReportMetric(float64(l.Memory())/float64(devices), "bytes/device")
		})
	}
}
