package assertions

import "time"

// saturated is the share of its processors in use from which on a machine has nothing to spare: a client that waits for
// its turn then does not show what it can do.
const saturated = 0.9

// excused is how many records of some slices were not handed over in time for want of processor time, at most, and what
// is known of that.
func (j *judge) excused(parts []Slice) (records float64, why string) {
	idle, full := j.idle()
	why = "and how busy the machine was is not known"
	for i := range parts {
		s := &parts[i]
		missed := s.Due - s.handedBefore(parts[len(parts)-1].To)
		if missed <= 0 || s.length() <= 0 {
			continue
		}
		var spare, none time.Duration
		for _, span := range idle {
			spare += s.shared(span)
		}
		for _, span := range full {
			none += s.shared(span)
		}
		if none > 0 {
			why = "while the machine had no processor time to spare"
		}
		records += float64(missed) * (1 - float64(spare)/float64(s.length()))
	}
	return records, why
}

// idle are the times in which the machine is known to have had processor time to spare, and full those in which it is
// known to have had none, each together with as much time after it, in which the client worked off what was held up.
func (j *judge) idle() (idle, full []Span) {
	var from, debt time.Duration // the sample before, and how much longer what was held up is worked off
	for _, sample := range j.Samples {
		span := Span{from, sample.At}
		from = sample.At
		switch {
		case sample.Busy == nil:
			continue
		case *sample.Busy >= saturated:
			full = append(full, span)
			debt += span.length()
			continue
		}
		paid := min(debt, span.length())
		debt -= paid
		if paid > 0 {
			full = append(full, Span{span.From, span.From + paid})
		}
		idle = append(idle, Span{span.From + paid, span.To})
	}
	return idle, full
}
