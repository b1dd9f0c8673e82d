package assertions

import (
	"math"
	"time"
)

// Histograms have three significant digits, or two where the slices are too many for three (see Cuts): a figure is then
// told up to 0.8% too high, and never too low.
const (
	fineDigits   = 3
	coarseDigits = 2
)

// fineEvidence is how many bytes the histograms of all slices may be expected to take with three digits.
const fineEvidence = 17.5e6

// precision is how many digits the histograms have in a run that is cut like this.
func precision(cuts []time.Duration) int {
	var bytes float64
	for i := range cuts[1:] {
		bytes += sliceBytes(cuts[i+1] - cuts[i])
	}
	if bytes > fineEvidence {
		return coarseDigits
	}
	return fineDigits
}

// sliceBytes is how many bytes the histograms of a slice take as text, with three digits, at 100,000 records a second of
// which three latencies are widely spread: 18 kB when it is a second wide, 34 kB at ten, 46 kB at a minute, 59 kB at five
// minutes. A histogram grows with the logarithm of its values. With two digits it takes a third of that.
func sliceBytes(width time.Duration) float64 {
	return 1000 * max(9, 18+16*math.Log10(width.Seconds()))
}
