package assertions

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

// piece is a stretch of slices, as short as the figure allows, with its figure.
type piece struct {
	Span
	value
	first time.Duration // when its first slice ends: what went wrong in the piece may have been over then
}

// pieces cuts a phase into stretches that have a figure each: single slices, as a rule. Where a slice has too few
// samples for its percentile, or no record due, the next ones are taken in with it, twice as many each time; and where
// it is shorter than the least, so many as make that. A rate needs a second at least. What is left over at the end goes to
// the last piece.
func (j *judge) pieces(metric Metric, e Expectation, p phase, least time.Duration) ([]piece, error) {
	if metric.kind.perSecond() {
		least = max(least, time.Second) // a tenth of a second holds a record more or less by chance
	}
	var pieces []piece
	start, last := 0, 0
	for width := 1; start+width <= len(p.slices); {
		v, err := j.figureOf(metric, e, p, p.slices[start:start+width])
		switch {
		case err != nil:
			return nil, err
		case v.nothing != "" || v.samples < samplesFor(e.Aggregate):
			width *= 2
		case around(p.slices[start:start+width]).length() < least:
			width++
		default:
			pieces = append(pieces, newPiece(p.slices[start:start+width], v))
			start, last, width = start+width, start, 1
		}
	}
	if len(pieces) == 0 || start == len(p.slices) {
		return pieces, nil
	}
	v, err := j.figureOf(metric, e, p, p.slices[last:])
	pieces[len(pieces)-1] = newPiece(p.slices[last:], v)
	return pieces, err
}

func newPiece(parts []Slice, v value) piece {
	return piece{Span: around(parts), value: v, first: parts[0].To}
}

// figureOf is the figure of some neighbouring slices of a phase.
func (j *judge) figureOf(metric Metric, e Expectation, p phase, parts []Slice) (value, error) {
	return metric.figure(j, phase{slices: parts, spans: []Span{around(parts)}, spare: p.spare}, e)
}

// around is the time from the first slice's beginning to the last one's end.
func around(parts []Slice) Span { return Span{parts[0].From, parts[len(parts)-1].To} }

// worst is the piece furthest from meeting the limit, the first of several. Telling is false where all pieces are
// alike, so that none stands out.
func (e Expectation) worst(pieces []piece) (worst piece, telling bool) {
	for i, piece := range pieces {
		switch {
		case i == 0:
			worst = piece
		case piece.got != worst.got:
			telling = true
			if e.Op.badness(piece.got, e.Limit.Value) > e.Op.badness(worst.got, e.Limit.Value) {
				worst = piece
			}
		}
	}
	return worst, telling
}

// recovery is how long after a fault's healing an objective held again for good.
type recovery struct {
	low, high time.Duration // it took between so and so long
	never     bool          // it did not hold at the end of what was observed: high means nothing then
	why       string        // why low and high differ
	nothing   string        // why it cannot be said
	cut       bool          // the harness ended the load in between: it may not have held for good
	pieces    []piece       // from the healing on
}

// recoveryFrom finds the smallest time after a fault's healing from which every piece, until the next fault or the end of
// the load, meets the objective.
func (j *judge) recoveryFrom(metric Metric, e Expectation, fault Fault) (recovery, error) {
	p, nothing := j.aftermath(fault)
	if nothing == "" && metric.timed {
		nothing = j.shortfall(p)
	}
	if nothing != "" {
		return recovery{nothing: nothing}, nil
	}
	pieces, err := j.pieces(metric, e, p, 0)
	if err != nil {
		return recovery{}, err
	}
	if len(pieces) == 0 {
		return recovery{nothing: fmt.Sprintf("%s has too few samples between %s, when fault %s was healed, and %s",
			e.subject(), moment(fault.HealedAt), fault.label(), moment(p.spans[0].To))}, nil
	}
	r := recovery{pieces: pieces, cut: j.cuts(p)}
	end := pieces[len(pieces)-1].To - fault.HealedAt
	for _, piece := range pieces {
		met, known := e.Op.holds(piece.low, piece.high, e.Limit.Value)
		switch {
		case met && known:
			continue
		case !known:
			r.why = piece.why
		case piece.From < fault.HealedAt:
			r.why = fmt.Sprintf("fault %s was healed at %s, and it is not known whether %s was missed before or after that, until %s",
				fault.label(), exactly(fault.HealedAt), e.subject(), exactly(piece.To))
		default:
			r.low = piece.first - fault.HealedAt
			r.why = fmt.Sprintf("there are too few samples to say when between %s and %s %s held again",
				moment(piece.first), moment(piece.To), e.subject())
		}
		r.high = piece.To - fault.HealedAt
	}
	r.never = r.high == end
	return r, nil
}

// aftermath is the time after a fault's healing: until another fault is injected, or until the load ends. Its first slice
// is the one in which the fault was healed: what that misses may have been missed afterwards. Behind it only whole slices
// count. Nothing says why there are none.
func (j *judge) aftermath(fault Fault) (p phase, nothing string) {
	switch {
	case fault.InjectedAt == Never:
		return phase{}, fmt.Sprintf("fault %s was never injected", fault.label())
	case fault.HealedAt == Never:
		return phase{}, fmt.Sprintf("fault %s was never seen healed", fault.label())
	}
	window := Span{fault.HealedAt, j.end()}
	for _, other := range j.Faults {
		life := j.life(other, other.HealedAt)
		if other == fault || other.InjectedAt == Never || life.To <= window.From {
			continue
		}
		if life.From <= window.From {
			return phase{}, fmt.Sprintf("fault %s was still in effect when fault %s was healed", other.label(), fault.label())
		}
		window.To = min(window.To, life.From)
	}
	p = phase{name: "after fault " + fault.label(), spans: []Span{window}}
	whole := 0
	for _, slice := range j.Slices {
		if slice.To > window.From && slice.To <= window.To {
			p.slices = append(p.slices, slice)
		}
		if slice.From >= window.From && slice.To <= window.To {
			whole++
		}
	}
	if whole == 0 {
		return phase{}, fmt.Sprintf("no whole slice lies between %s, when fault %s was healed, and %s",
			moment(window.From), fault.label(), moment(window.To))
	}
	return p, ""
}

// weighRecovery weighs an objective that must hold again within a time after a fault: after each of its repetitions. What
// it says is of the worst of them, of which it is missed, not known, or met last. Samples are those of all.
func (j *judge) weighRecovery(metric Metric, e Expectation, judgement *Judgement) (v value, met, known bool, err error) {
	var told weighed
	var samples int64
	var longest float64
	for i, fault := range j.lives(e.Scope.Name) {
		r, err := j.recoveryFrom(metric, e, fault)
		if err != nil {
			return value{}, false, false, err
		}
		life := j.weighLife(e, fault, r)
		if i == 0 || life.worse(told) {
			told = life
		}
		samples += life.samples
		longest = max(longest, life.took)
	}
	if finite(longest) {
		judgement.RecoveryTime = &longest
	}
	told.samples = samples
	return told.value, told.met, told.known, nil
}

// weighed is what an objective came to after one life of a fault.
type weighed struct {
	value
	met, known bool
	took       float64 // seconds until it held again; infinite where it did not, or that is not known
}

// worse says whether this is to be told rather than another.
func (w weighed) worse(other weighed) bool {
	return cmp.Or(cmp.Compare(w.verdict(), other.verdict()), cmp.Compare(w.took, other.took)) > 0
}

func (w weighed) verdict() Verdict {
	switch {
	case w.nothing != "" || !w.known:
		return Inconclusive
	case w.met:
		return Pass
	default:
		return Fail
	}
}

// weighLife weighs an objective after one life of a fault. Its figure is the worst one from the moment on at which it
// should have held, or did.
func (j *judge) weighLife(e Expectation, fault Fault, r recovery) weighed {
	if r.nothing != "" {
		return weighed{value: absent("%s", r.nothing), took: math.Inf(1)}
	}
	low, high := seconds(r.low), seconds(r.high)
	if r.never {
		high = math.Inf(1)
	}
	met, known := LessEqual.holds(low, high, seconds(e.Scope.Within))
	if r.never && low == seconds(r.high) {
		r.why = fmt.Sprintf("%s did not hold at %s, %s after fault %s was healed, and what happened later within %s is not known",
			e.subject(), moment(r.pieces[len(r.pieces)-1].To), span(low), fault.label(), short(e.Scope.Within))
	}
	if r.cut && known && met {
		known, r.why = false, j.cutWhy()
	}
	deadline := fault.HealedAt + min(r.high, e.Scope.Within)
	var late []piece
	var samples int64
	for _, piece := range r.pieces {
		if piece.To > deadline {
			late = append(late, piece)
			samples += piece.samples
		}
	}
	if len(late) == 0 {
		late = r.pieces[len(r.pieces)-1:]
	}
	worst, _ := e.worst(late)
	v := worst.value
	v.why, v.samples = r.why, samples
	v.place = "worst at " + interval(worst.Span)
	switch {
	case r.never:
		v.place += fmt.Sprintf(", never again since fault %s was healed at %s", fault.label(), moment(fault.HealedAt))
	default:
		v.place += fmt.Sprintf(", held again %s after fault %s was healed at %s", span(high), fault.label(), moment(fault.HealedAt))
	}
	return weighed{value: v, met: met, known: known, took: high}
}

// recovered is the metric recovery_time: the worst over the faults of the phase.
func recovered(j *judge, _ phase, e Expectation) (value, error) {
	worst := value{high: -1}
	var faults int64
	for _, fault := range j.Faults {
		if e.Scope.Kind == DuringFault && fault.Name != e.Scope.Name {
			continue
		}
		v, err := j.recoveryOf(fault)
		if err != nil || v.nothing != "" {
			return v, err
		}
		faults++
		low := max(v.low, worst.low)
		if v.high > worst.high {
			worst = v
		}
		worst.low = low
	}
	worst.samples = faults
	return worst, nil
}

// recoveryOf is how long a fault was felt after its healing: until the first acknowledgement of a record handed over
// afterwards, and until each objective stated for it held again.
func (j *judge) recoveryOf(fault Fault) (value, error) {
	p, nothing := j.aftermath(fault)
	if nothing == "" {
		nothing = j.shortfall(p)
	}
	if nothing != "" {
		return absent("%s", nothing), nil
	}
	v := value{place: fmt.Sprintf("after fault %s was healed at %s", fault.label(), moment(fault.HealedAt))}
	window := p.slices[len(p.slices)-1].To - fault.HealedAt
	switch {
	case fault.ResumedAt != Never:
		v.got = seconds(fault.ResumedAt - fault.HealedAt)
		v.low, v.high = seconds(fault.ResumedAt-fault.HealedAt-j.stalled(Span{fault.HealedAt, fault.ResumedAt})), v.got
		v.why = stalledWhy
	case sum(p.slices, func(s *Slice) int64 { return s.Sent }) == 0:
		return absent("nothing was handed over after fault %s was healed", fault.label()), nil
	default:
		v.got, v.low, v.high = math.Inf(1), seconds(window), math.Inf(1)
		v.why = fmt.Sprintf("no acknowledgement came until the end, %s after fault %s was healed", span(v.low), fault.label())
	}
	cut := false
	for _, objective := range j.objectives {
		if objective.Scope.Name != fault.Name {
			continue
		}
		metric, err := metricOf(objective.Metric)
		if err != nil {
			return value{}, err
		}
		r, err := j.recoveryFrom(metric, objective, fault)
		if err != nil || r.nothing != "" {
			return absent("%s", r.nothing), err
		}
		low, high := seconds(r.low), seconds(r.high)
		if r.never {
			high = math.Inf(1)
			r.why = fmt.Sprintf("%s did not hold again until the end, %s after fault %s was healed",
				objective.subject(), span(seconds(r.high)), fault.label())
		}
		v.low = max(v.low, low)
		if high > v.high {
			v.got, v.high, v.why = high, high, r.why
			v.place = fmt.Sprintf("until %s after fault %s was healed at %s", objective.bound(), fault.label(), moment(fault.HealedAt))
		}
		cut = cut || r.cut
	}
	if cut {
		v.why = ""
		v = v.between(v.low, math.Inf(1), j.cutWhy())
	}
	return v, nil
}
