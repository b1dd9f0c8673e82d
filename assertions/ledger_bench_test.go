package assertions

import (
	"testing"
	"time"
)

// BenchmarkLedger accounts for one record an operation: opened, acknowledged and seen, with a thousand in flight over
// ten thousand devices.
func BenchmarkLedger(b *testing.B) {
	const devices, flight = 10_000, 1000
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
}
