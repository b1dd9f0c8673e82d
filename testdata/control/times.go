package main

import "time"

// times counts durations: to the microsecond up to 65 ms, to the millisecond up to 65 s. Only one goroutine records.
type times struct {
	fine, coarse [1 << 16]int64
	count        int64
}

func (t *times) record(d time.Duration) {
	t.count++
	if us := d.Microseconds(); us < int64(len(t.fine)) {
		t.fine[max(us, 0)]++
		return
	}
	t.coarse[min(d.Milliseconds(), int64(len(t.coarse))-1)]++
}

// merge adds the durations that another counted.
func (t *times) merge(other *times) {
	t.count += other.count
	for i := range t.fine {
		t.fine[i] += other.fine[i]
		t.coarse[i] += other.coarse[i]
	}
}

func (t *times) quantile(q float64) float64 {
	left := int64(q * float64(t.count))
	for us, n := range t.fine {
		if left -= n; left < 0 {
			return float64(us) / 1e6
		}
	}
	for ms, n := range t.coarse {
		if left -= n; left < 0 {
			return float64(ms) / 1e3
		}
	}
	return 0
}
