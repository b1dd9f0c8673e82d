package harness

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
)

// shortestSecret is the length from which a value is masked.
const shortestSecret = 4

// newMask replaces what texts of the scenario took from the environment by the references to it: the longest value first,
// so that one that lies within another leaves nothing of it. It is nil where there is nothing to hide.
func newMask(secrets []variable) *strings.Replacer {
	longest := slices.SortedStableFunc(slices.Values(secrets), func(a, b variable) int { return cmp.Compare(len(b.value), len(a.value)) })
	var pairs []string
	for _, v := range longest {
		if len(v.value) >= shortestSecret {
			pairs = append(pairs, v.value, "${env:"+v.name+"}")
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	return strings.NewReplacer(pairs...)
}

// Masked replaces, in a text for people, what texts of the scenario took from the environment by the references to it.
// Values of fewer than four characters stay: they are no secrets, and would be found everywhere. So do numbers,
// durations and the like, whose effect shows anyway.
func (r *Resolved) Masked(text string) string {
	if r.mask == nil {
		return text
	}
	return r.mask.Replace(text)
}

// maskEvidence masks the free texts of the evidence. What the judge parses or looks up (names, expectations, settings) is
// bound by the language's own rules, and has to stay what it is.
func (r *Resolved) maskEvidence(evidence *assertions.Evidence) {
	evidence.Run.Description = r.Masked(evidence.Run.Description)
	evidence.Readback.Reason = r.Masked(evidence.Readback.Reason)
	for i := range evidence.Broken {
		evidence.Broken[i] = r.Masked(evidence.Broken[i])
	}
	for i := range evidence.Errors {
		evidence.Errors[i].Text = r.Masked(evidence.Errors[i].Text)
	}
	for i := range evidence.Faults {
		evidence.Faults[i].Target = r.Masked(evidence.Faults[i].Target)
	}
	for i := range evidence.Streams {
		stream := &evidence.Streams[i]
		stream.Topic = r.Masked(stream.Topic)
		for _, found := range stream.Findings {
			for j := range found.First {
				found.First[j].Note = r.Masked(found.First[j].Note)
			}
		}
	}
}

// maskedError is an error that tells no secrets. It is still the error it was.
type maskedError struct {
	error
	text string
}

func (e maskedError) Error() string { return e.text }
func (e maskedError) Unwrap() error { return e.error }

func (r *Resolved) maskedError(err error) error {
	if err == nil || r.mask == nil {
		return err
	}
	return maskedError{error: err, text: r.Masked(err.Error())}
}
