package assertions

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// sampled is a metric of the harness process. A figure is nil where the system does not tell it.
func sampled[T float64 | int64](figure func(*Sample) *T) func(*judge, phase, Expectation) (value, error) {
	return func(j *judge, p phase, e Expectation) (value, error) {
		var samples []point
		untold := false
		for i := range j.Samples {
			at := j.Samples[i].At
			if !p.whole && !slices.ContainsFunc(p.spans, func(s Span) bool { return s.From <= at && at <= s.To }) {
				continue
			}
			got := figure(&j.Samples[i])
			if untold = got == nil; !untold {
				samples = append(samples, point{at, float64(*got)})
			}
		}
		switch {
		case len(samples) > 0:
		case untold:
			return absent("the operating system does not tell the %s of the harness", e.Metric), nil
		default:
			return absent("the harness was not sampled in %s", p.name), nil
		}
		of := fmt.Sprintf(" over %d samples", len(samples))
		if e.Aggregate == Slope {
			v, err := j.sampledSlope(samples, p, e)
			v.samples, v.of = int64(len(samples)), of
			return v, err
		}
		v := aggregate(samples, e.Aggregate)
		v.samples, v.of = int64(len(samples)), of
		switch e.Aggregate {
		case Max:
			return j.unfinished(p, v, v.low, math.Inf(1)), nil
		case Min:
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

// aggregate is a figure of the samples other than their slope.
func aggregate(samples []point, a Aggregate) value {
	compare := func(x, y point) int { return int(math.Copysign(1, x.figure-y.figure)) }
	if a == Mean {
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
