package harness

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/fleetproof/fleetproof/assertions"
)

// shortestSecret is the length from which a value is masked.
const shortestSecret = 4

// newMask replaces what texts of the scenario took from the environment by the references to it: the longest value first,
// so that one that lies within another leaves nothing of it. It is nil where there is nothing to hide.
func newMask(secrets []variable) *strings.Replacer {
	slices.SortStableFunc(secrets, func(a, b variable) int { return cmp.Compare(len(b.value), len(a.value)) })
	var pairs []string
	for _, v := range secrets {
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

// maskedEvidence masks every text of the evidence, wherever it stands.
func (r *Resolved) maskedEvidence(evidence *assertions.Evidence) (*assertions.Evidence, error) {
	if r.mask == nil {
		return evidence, nil
	}
	text, err := json.Marshal(evidence)
	if err != nil {
		return nil, err
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	if text, err = json.Marshal(r.maskedTree(tree)); err != nil {
		return nil, err
	}
	masked := new(assertions.Evidence)
	return masked, json.Unmarshal(text, masked)
}

func (r *Resolved) maskedTree(tree any) any {
	switch branch := tree.(type) {
	case string:
		return r.Masked(branch)
	case []any:
		for i := range branch {
			branch[i] = r.maskedTree(branch[i])
		}
	case map[string]any:
		for key := range branch {
			branch[key] = r.maskedTree(branch[key])
		}
	}
	return tree
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
