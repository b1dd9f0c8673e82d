package harness

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// handing is a generator that needs so long for a record, and a client whose Send takes so long for each.
type handing struct {
	lag  lag
	now  time.Duration
	work time.Duration
}

// hand hands a record over as soon as it is due and the generator has time, and returns its own lag.
func (h *handing) hand(due, sends time.Duration) time.Duration {
	if h.now < due {
		h.now = due
		h.lag.woke(h.now)
	}
	h.now += h.work
	own := h.lag.called(due, h.now)
	h.now += sends
	h.lag.returned(h.now)
	return own
}

func TestOwnLagOfAGeneratorThatKeepsUp(t *testing.T) {
	const ms = time.Millisecond
	h := handing{work: 5 * ms}
	for i := range 100 {
		assert.Equal(t, 5*ms, h.hand(time.Duration(i)*10*ms, 0), "record %d", i)
	}
}

func TestOwnLagLeavesOutWhatTheClientBlocked(t *testing.T) {
	const ms = time.Millisecond
	h := handing{work: 5 * ms}
	assert.Equal(t, 5*ms, h.hand(0, 10*time.Second))
	for i := 1; i <= 1000; i++ { // due while the client blocked: working them off takes five seconds
		assert.Equal(t, 5*ms, h.hand(time.Duration(i)*10*ms, 0), "record %d", i)
	}
	assert.Equal(t, 15*time.Second+5*ms, h.now)
}

func TestOwnLagOfAGeneratorThatIsTooSlow(t *testing.T) {
	const ms = time.Millisecond
	for _, sends := range []time.Duration{0, 30 * ms} { // whether the client is slow too makes no difference
		h := handing{work: 15 * ms}
		for i := range 100 {
			own := h.hand(time.Duration(i)*10*ms, sends)
			assert.Equal(t, 15*ms+time.Duration(i)*5*ms, own, "record %d", i)
		}
		assert.Equal(t, 500*ms, h.lag.of(1000*ms, h.now), "one that fell due as the last")
		assert.Equal(t, 502*ms, h.lag.of(1000*ms, h.now+2*ms), "and some time later")
		assert.Zero(t, h.lag.of(2000*ms, h.now))
	}
}

func TestOwnLagOfAGeneratorThatWakesUpLate(t *testing.T) {
	const ms = time.Millisecond
	h := handing{work: ms}
	h.now = 300 * ms
	h.lag.woke(h.now)
	for i := range 4 {
		due := time.Duration(100+i) * ms
		assert.Equal(t, 201*ms, h.hand(due, 0), "record %d", i)
	}
}
