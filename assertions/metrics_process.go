package assertions

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// sampled is a metric of the harness process.
func sampled(of func(*Sample) float64) func(*judge, phase, Expectation) (value, error) {
	return func(j *judge, p phase, e Expectation) (value, error) {
		var samples []point
		for i := range j.Samples {
			at := j.Samples[i].At
			if p.whole || slices.ContainsFunc(p.spans, func(s Span) bool { return s.From <= at && at <= s.To }) {
				samples = append(samples, point{at, of(&j.Samples[i])})
			}
		}
		if len(samples) == 0 {
			return absent("the harness was not sampled in %s", p.name), nil
		}
		v := aggregate(samples, e.Aggregate)
		v.samples = int64(len(samples))
		v.of = fmt.Sprintf(" over %d samples", len(samples))
		switch {
		case v.nothing != "":
			return v, nil
		case e.Aggregate == Max:
			return j.unfinished(p, v, v.low, math.Inf(1)), nil
		case e.Aggregate == Min:
			return j.unfinished(p, v, math.Inf(-1), v.high), nil
		default:
			return j.unfinished(p, v, math.Inf(-1), math.Inf(1)), nil
		}
	}
}

// point is a figure at a moment.
type point struct {
	at     time.Duration
	figure float64
}

// aggregate is a figure of the samples.
func aggregate(samples []point, a Aggregate) value {
	compare := func(x, y point) int { return int(math.Copysign(1, x.figure-y.figure)) }
	switch a {
	case Slope:
		return slope(samples)
	case Mean:
		var total float64
		for _, s := range samples {
			total += s.figure
		}
		return certain(total/float64(len(samples)), 0)
	}
	extreme := slices.MaxFunc(samples, compare)
	if a == Min {
		extreme = slices.MinFunc(samples, compare)
	}
	v := certain(extreme.figure, 0)
	v.place = "at " + moment(extreme.at)
	return v
}

const (
	slopeStretches = 20
	slopeLength    = 10 * time.Minute // half a minute for each stretch: several garbage collections
	slopeDeviation = 2.576            // standard deviations of a 99% confidence interval
)

// slope is the change per hour: the median of the slopes between any two of the minima of equal stretches of time (the
// Theil–Sen estimator), with Sen's confidence interval from the variance of Kendall's tau (P. K. Sen, Journal of the
// American Statistical Association 63, 1968). The minima follow the floor under the sawtooth that garbage collection
// makes of memory; the median ignores up to 29% of outliers, such as a warm-up.
func slope(samples []point) value {
	first, last := samples[0].at, samples[len(samples)-1].at
	length := last - first
	if length < slopeLength {
		return absent("a slope needs %s of samples, there are %s", short(slopeLength), span(seconds(length)))
	}
	var minima []point
	stretch := -1
	for _, s := range samples {
		n := min(int(slopeStretches*(s.at-first)/length), slopeStretches-1)
		switch last := len(minima) - 1; {
		case n != stretch:
			minima, stretch = append(minima, s), n
		case s.figure < minima[last].figure:
			minima[last] = s
		}
	}
	if len(minima) < slopeStretches {
		return absent("a slope needs samples in each of %d equal stretches, %d have some", slopeStretches, len(minima))
	}
	var slopes []float64
	for i, a := range minima {
		for _, b := range minima[i+1:] {
			slopes = append(slopes, (b.figure-a.figure)/(b.at-a.at).Hours())
		}
	}
	slices.Sort(slopes)
	n := float64(len(minima))
	half := slopeDeviation * math.Sqrt(n*(n-1)*(2*n+5)/18) / 2
	middle := float64(len(slopes)-1) / 2
	median := (slopes[int(math.Floor(middle))] + slopes[int(math.Ceil(middle))]) / 2
	low := slopes[max(0, int(math.Floor(middle-half)))]
	high := slopes[min(len(slopes)-1, int(math.Ceil(middle+half)))]
	return certain(median, 0).between(low, high,
		"the samples scatter too much: the limit lies in the 99% confidence interval of the slope")
}
