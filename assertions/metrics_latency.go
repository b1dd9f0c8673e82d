package assertions

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// latencyOf is a metric that is recorded as a histogram per slice.
func latencyOf(name string) func(*judge, phase, Expectation) (value, error) {
	return func(j *judge, p phase, e Expectation) (value, error) {
		h, err := j.histogram(name, p)
		if err != nil {
			return value{}, err
		}
		samples := h.samples()
		if samples == 0 {
			return absent("%s has no samples in %s", name, p.name), nil
		}
		of := fmt.Sprintf(" over %s records", grouped(samples))
		if e.Aggregate == Slope {
			v, err := j.latencySlope(p, e)
			v.samples, v.of = samples, of
			return v, err
		}
		v := h.aggregate(e.Aggregate)
		v.samples, v.of = samples, of
		if need := samplesFor(e.Aggregate); samples < need {
			why := fmt.Sprintf("%s needs %s samples, %s has %s", e.Aggregate, grouped(need), p.name, grouped(samples))
			return v.doubtful(why), nil
		}
		if name == metricE2eLatency {
			v = j.unread(v, v.got, math.Inf(1))
		}
		v = j.withoutStalls(h, e.Aggregate, p, v)
		switch e.Aggregate {
		case Min:
			return j.unfinished(p, v, 0, v.high), nil
		case Max:
			return j.unfinished(p, v, v.low, math.Inf(1)), nil
		default:
			return j.unfinished(p, v, 0, math.Inf(1)), nil
		}
	}
}

// samplesFor is how many samples a figure needs. A percentile q rests on its tail: 3 ÷ (1 − q) samples leave three
// beyond it on average, and none at all in fewer than one case of twenty. So p99 needs 300 and p99.9 needs 3,000.
func samplesFor(a Aggregate) int64 {
	percent, ok := a.percentile()
	if !ok {
		return 1
	}
	// The quotient of 99.9 comes out a little above 3,000 in floating point; that is not one sample more.
	return int64(math.Ceil(300 / (100 - percent) * (1 - 1e-9)))
}

// histogram merges a phase's histograms. Those of whole phases are kept, since several figures are taken from each, and
// phases often cover the same slices: a run and its only stage.
func (j *judge) histogram(name string, p phase) (merged, error) {
	key := fmt.Sprint(name, joinSlices(p.slices))
	if h, found := j.merged[key]; found {
		return h, nil
	}
	h, beyond, err := mergeHistograms(p.slices, name)
	if err != nil {
		return merged{}, err
	}
	if p.name != "" {
		j.merged[key] = merged{h, beyond}
	}
	return merged{h, beyond}, nil
}

// samples counts every value, also those beyond the histogram's range.
func (m merged) samples() int64 {
	return m.TotalCount() + m.beyond
}

// at is the value of a rank, from 1, in seconds. What lies beyond the range ranks last and is infinite.
func (m merged) at(rank int64) float64 {
	inside := m.samples() - m.beyond
	if rank > inside {
		return math.Inf(1)
	}
	return float64(m.ValueAtPercentile(100*float64(max(rank, 1))/float64(inside))) / 1e6
}

// rank is the nearest rank of an aggregate other than the mean.
func (m merged) rank(a Aggregate) int64 {
	samples := m.samples()
	switch percent, ok := a.percentile(); {
	case ok:
		return max(1, int64(math.Ceil(percent*float64(samples)/100*(1-1e-12))))
	case a == Min:
		return 1
	default:
		return samples
	}
}

// aggregate is a figure of the histogram. What lies beyond its range makes the mean and every rank it reaches infinite.
func (m merged) aggregate(a Aggregate) value {
	switch {
	case a != Mean:
		return certain(m.at(m.rank(a)), 0)
	case m.beyond > 0:
		return certain(math.Inf(1), 0)
	default:
		return certain(m.Mean()/1e6, 0)
	}
}

const stalledWhy = "the harness itself was not running for part of that time"

// withoutStalls widens a latency by what the machine's own stalls may have added: the records they can have held up
// count as fast as any in one direction, and as measured in the other. Where both answers agree the stalls decided
// nothing.
func (j *judge) withoutStalls(h merged, a Aggregate, p phase, v value) value {
	var held float64
	var longest, total time.Duration
	stalls := 0
	for _, stall := range j.Stalls {
		before := held
		for i := range p.slices {
			held += p.slices[i].heldUp(stall)
		}
		if held > before {
			stalls++
			total += stall.length()
			longest = max(longest, stall.length())
		}
	}
	if stalls == 0 {
		return v
	}
	count := min(int64(math.Ceil(held)), h.samples())
	low := v.got
	switch a {
	case Min:
	case Mean:
		low = max(0, v.got-seconds(longest)*float64(count)/float64(h.samples()))
	default:
		low = 0
		if rank := h.rank(a) - count; rank > 0 {
			low = h.at(rank)
		}
	}
	return v.between(low, v.high, fmt.Sprintf(
		"the machine did not run the harness for %s here, which can have held up %s of %s records",
		span(seconds(total)), grouped(count), grouped(h.samples())))
}

// stalled is how much of a span the harness was not running.
func (j *judge) stalled(s Span) time.Duration {
	var total time.Duration
	for _, stall := range j.Stalls {
		total += s.shared(stall.Span)
	}
	return min(total, s.length())
}

// latencies summarises every latency for the run, each judged stage, each fault, and outside the faults.
func (j *judge) latencies() ([]Latency, error) {
	phases := []phase{j.phase(Scope{}, true)}
	for _, stage := range j.Stages {
		if stage.Judged {
			phases = append(phases, j.phase(Scope{Kind: DuringStage, Name: stage.Name}, true))
		}
	}
	for _, name := range j.faultNames() {
		phases = append(phases, j.duringFault(name))
	}
	if len(j.Faults) > 0 {
		phases = append(phases, j.outsideFaults())
	}
	latencies := []Latency{}
	for _, metric := range Metrics() {
		if !slices.Contains(metric.Aggregates, Percentile) {
			continue
		}
		for _, p := range phases {
			h, err := j.histogram(metric.Name, p)
			if err != nil {
				return nil, err
			}
			if h.samples() > 0 {
				latencies = append(latencies, h.summary(metric.Name, p.name))
			}
		}
	}
	return latencies, nil
}

// summary writes a histogram's usual figures down. What lies beyond its range shows as the end of the range.
func (m merged) summary(metric, phase string) Latency {
	at := func(a Aggregate) float64 {
		return min(m.at(m.rank(a)), seconds(histogramMax))
	}
	return Latency{
		Metric: metric, Phase: phase, Count: m.samples(), Beyond: m.beyond,
		P50: at("p50"), P90: at("p90"), P99: at("p99"), P999: at("p99.9"), Max: at(Max),
	}
}
