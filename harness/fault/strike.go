package fault

import (
	"math/rand/v2"
	"sync"
	"time"
)

// strikes decides, occasion by occasion, whether a fault strikes. It is safe for concurrent use.
type strikes struct {
	clock func() time.Duration

	mutex  sync.Mutex
	left   int     // how often it may still strike; negative: without bound
	share  float64 // of the occasions; 0: tokens decide
	random *rand.Rand
	tokens *tokens // nil: share decides, or every occasion is struck
}

func newStrikes(spec Spec, clock func() time.Duration, random *rand.Rand) *strikes {
	s := &strikes{clock: clock, left: -1, share: 1, random: random}
	if spec.Count != nil {
		s.left = *spec.Count
	}
	switch {
	case spec.Rate == nil:
	case spec.Rate.PerSecond > 0:
		s.tokens = newTokens(spec.Rate.PerSecond, clock())
	default:
		s.share = spec.Rate.Share
	}
	return s
}

// strike says whether the present occasion is struck.
func (s *strikes) strike() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.left == 0 {
		return false
	}
	if s.tokens != nil {
		if !s.tokens.take(s.clock()) {
			return false
		}
	} else if s.random.Float64() >= s.share { // Float64 is below 1: a share of 1 strikes always
		return false
	}
	if s.left > 0 {
		s.left--
	}
	return true
}

// tokens is a token bucket. It starts full, so that the first occasion is struck, and holds at least one token and no
// more than come in 10 ms: what was not struck for lack of occasions is not made up for later.
type tokens struct {
	rate  float64 // tokens per second
	most  float64
	have  float64
	since time.Duration // when have was right
}

func newTokens(rate float64, now time.Duration) *tokens {
	most := max(1, rate/100)
	return &tokens{rate: rate, most: most, have: most, since: now}
}

// take takes one token, if there is one at this moment.
func (t *tokens) take(now time.Duration) bool {
	t.have = min(t.most, t.have+t.rate*(now-t.since).Seconds())
	t.since = now
	if t.have < 1 {
		return false
	}
	t.have--
	return true
}
