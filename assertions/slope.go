package assertions

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// A slope is the change of a figure per hour: the median of the slopes between any two of up to 20 minima (the Theil–Sen
// estimator), with Sen's confidence interval from the variance of Kendall's tau (P. K. Sen, Journal of the American
// Statistical Association 63, 1968). The median ignores up to 29% of outliers, such as a warm-up or a single jump.
//
// Each minimum is that of an equal stretch of the scope: of as many samples, or as much time of slices, whatever was cut out
// in between. So a fault a minute leaves every stretch its share of what is outside faults.
const (
	slopeStretches = 20
	slopeLeast     = 10    // minima, below which a slope cannot be told from scatter
	slopeDeviation = 2.576 // standard deviations of a 99% confidence interval
)

// slopePercentile is what the slope of a latency is taken of.
const slopePercentile Aggregate = "p99"

// stood is where a figure stood in one stretch: the truth lies between low and high.
type stood struct {
	at                time.Duration
	low, figure, high float64
}

// sampledSlope is the slope of the minima of samples. They follow the floor under the sawtooth that garbage collection makes
// of memory.
func (j *judge) sampledSlope(samples []point, p phase, e Expectation) (value, error) {
	if why := j.tooShort(samples[len(samples)-1].at - samples[0].at); why != "" {
		return absent("%s", why), nil
	}
	stretches := min(slopeStretches, len(samples))
	if stretches < slopeLeast {
		return absent("a slope needs at least %d samples, there are %d", slopeLeast, len(samples)), nil
	}
	var floor []stood
	for i := range stretches {
		stretch := samples[i*len(samples)/stretches : (i+1)*len(samples)/stretches]
		lowest := stretch[0]
		for _, s := range stretch {
			if s.figure < lowest.figure {
				lowest = s
			}
		}
		floor = append(floor, stood{lowest.at, lowest.figure, lowest.figure, lowest.figure})
	}
	return j.slopeOf(floor, p, e, "")
}

// latencySlope is the slope of the minima of p99s, each of a second or more. They follow the floor under what a busy machine
// adds now and then. A second that its stalls may have slowed down tells of a stretch only where no other does.
func (j *judge) latencySlope(p phase, e Expectation) (value, error) {
	metric, err := metricOf(e.Metric)
	if err != nil {
		return value{}, err
	}
	if why := j.tooShort(around(p.slices).length()); why != "" {
		return absent("%s", why), nil
	}
	percentile := Expectation{Metric: e.Metric, Aggregate: slopePercentile, Op: e.Op, Limit: e.Limit}
	var floor []stood
	for _, stretch := range equalStretches(p.slices) {
		pieces, err := j.pieces(metric, percentile, phase{slices: stretch}, time.Second)
		if err != nil {
			return value{}, err
		}
		var lowest piece
		for i, piece := range pieces {
			known, before := piece.low == piece.high, lowest.low == lowest.high
			if i == 0 || known && !before || known == before && piece.got < lowest.got {
				lowest = piece
			}
		}
		if len(pieces) > 0 && finite(lowest.got) {
			floor = append(floor, stood{lowest.From + lowest.length()/2, lowest.low, lowest.got, lowest.high})
		}
	}
	if len(floor) < slopeLeast {
		return absent("a slope needs %s samples together in each of at least %d of %d equal stretches, %d have as many",
			grouped(samplesFor(slopePercentile)), slopeLeast, slopeStretches, len(floor)), nil
	}
	v, err := j.slopeOf(floor, p, e, string(slopePercentile)+" ")
	if err == nil && e.Metric == metricE2eLatency && !j.Readback.Complete {
		v = v.doubtful(j.unreadWhy())
	}
	return v, err
}

// tooShort says why nothing can be said per hour of what was looked at for so long; empty: it can.
func (j *judge) tooShort(length time.Duration) string {
	if length >= j.Rules.SlopeLength {
		return ""
	}
	return fmt.Sprintf("a slope needs %s from its first to its last sample (oracle.slope_length), there are %s", short(j.Rules.SlopeLength), span(seconds(length)))
}

// equalStretches divides slices into stretches of as much time each. A slice belongs where its middle lies, so that one
// that is longer than a stretch leaves others without any: they are not there.
func equalStretches(parts []Slice) [][]Slice {
	var total, before time.Duration
	for i := range parts {
		total += parts[i].length()
	}
	var stretches [][]Slice
	var start int
	var current time.Duration // the number of the stretch that begins at start
	for i := range parts {
		stretch := slopeStretches * (before + parts[i].length()/2) / total
		before += parts[i].length()
		if i > 0 && stretch != current {
			stretches, start = append(stretches, parts[start:i]), i
		}
		current = stretch
	}
	return append(stretches, parts[start:])
}

// slopeOf is the slope through the minima of a phase, at least two of them and in order. Of what they are is said before the
// first of them.
func (j *judge) slopeOf(minima []stood, p phase, e Expectation, what string) (value, error) {
	metric, err := metricOf(e.Metric)
	if err != nil {
		return value{}, err
	}
	var lows, slopes, highs []float64
	for i, a := range minima {
		for _, b := range minima[i+1:] {
			hours := (b.at - a.at).Hours()
			lows = append(lows, (b.low-a.high)/hours)
			slopes = append(slopes, (b.figure-a.figure)/hours)
			highs = append(highs, (b.high-a.low)/hours)
		}
	}
	slices.Sort(lows)
	slices.Sort(slopes)
	slices.Sort(highs)
	n := float64(len(minima))
	half := slopeDeviation * math.Sqrt(n*(n-1)*(2*n+5)/18) / 2
	middle := float64(len(slopes)-1) / 2
	median := (slopes[int(math.Floor(middle))] + slopes[int(math.Ceil(middle))]) / 2
	low := lows[max(0, int(math.Floor(middle-half)))]
	high := highs[min(len(highs)-1, int(math.Ceil(middle+half)))]

	per, plain := metric.measure(Slope), metric.measure("")
	v := certain(median, 0).between(low, high, fmt.Sprintf(
		"too uncertain: with a confidence of 99%% the slope lies between %s and %s", figure(low, per), figure(high, per)))
	first, last := minima[0], minima[len(minima)-1]
	v.place = fmt.Sprintf("%s%s at %s, %s at %s", what, figure(first.figure, plain), moment(first.at), figure(last.figure, plain), moment(last.at))
	if j.cuts(p) {
		v = v.doubtful(j.cutWhy())
	}
	return v, nil
}
