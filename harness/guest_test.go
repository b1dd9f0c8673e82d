package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetproof/fleetproof/assertions"
	"github.com/fleetproof/fleetproof/producer"
)

// rude is a client that keeps the contract but where a test makes it break it.
type rude struct {
	producer.Producer
	send, flush, close func() error
	stats              func()
}

func (r *rude) Send(ctx context.Context, record *producer.Record) error {
	if r.send != nil {
		if err := r.send(); err != nil {
			return err
		}
	}
	return r.Producer.Send(ctx, record)
}

func (r *rude) Flush(ctx context.Context) error {
	if r.flush != nil {
		return r.flush()
	}
	return r.Producer.Flush(ctx)
}

func (r *rude) Close(ctx context.Context) error {
	if r.close != nil {
		if err := r.close(); err != nil {
			return err
		}
	}
	return r.Producer.Close(ctx)
}

func (r *rude) Stats() producer.Stats {
	if r.stats != nil {
		r.stats()
	}
	return r.Producer.Stats()
}

// behaving connects the second producer and lets it misbehave.
func behaving(r *rude) []producer.Kind {
	return only(func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		inner, err := connectSecond(ctx, config, outcome)
		r.Producer = inner
		return r, err
	})
}

// stuck blocks from the nth call on, until the test is over.
func stuck(t *testing.T, from int64) func() error {
	released := make(chan struct{})
	var entering sync.Mutex // a call that was left behind may begin as the test ends
	var inside sync.WaitGroup
	t.Cleanup(func() {
		entering.Lock()
		close(released)
		entering.Unlock()
		inside.Wait()
	})
	var calls atomic.Int64
	return func() error {
		if calls.Add(1) >= from {
			entering.Lock()
			inside.Add(1)
			entering.Unlock()
			defer inside.Done()
			<-released
		}
		return nil
	}
}

const impatient = 50 * time.Millisecond

// hasty is the plain scenario with little time to drain.
func hasty(t *testing.T) string {
	return with(t, "load:", "oracle: {start_timeout: 5s, drain_timeout: 200ms}\nload:")
}

// TestClientThatDoesNotReturnEndsNoRun wants a verdict on whatever method blocks for good and ignores its context.
func TestClientThatDoesNotReturnEndsNoRun(t *testing.T) {
	for name, test := range map[string]struct {
		client func(*rude, func() error)
		from   int64
		want   string
	}{
		"Send":  {func(r *rude, block func() error) { r.send = block }, 300, "Send returns at the end of its context or soon after; it had not, "},
		"Flush": {func(r *rude, block func() error) { r.flush = block }, 1, "Flush returns at the end of its context or soon after; it had not, "},
		"Close": {func(r *rude, block func() error) { r.close = block }, 1, "Close returns at the end of its context or soon after; it had not, "},
		"Stats": {func(r *rude, block func() error) { r.stats = func() { _ = block() } }, 1, "Stats returns at the end of its context or soon after; it had not, "},
	} {
		t.Run(name, func(t *testing.T) {
			client := &rude{}
			test.client(client, stuck(t, test.from))
			result, evidence := runKept(t, hasty(t), Options{Producers: behaving(client), patience: impatient})
			assert.Equal(t, assertions.Error, result.Verdict)
			require.Len(t, evidence.Broken, 1)
			assert.Contains(t, evidence.Broken[0], "client sarama broke its contract: "+test.want)
			counts := result.Counts
			assert.Equal(t, counts["due"], counts["sent"]+counts["unsent"])
			assert.Equal(t, counts["sent"], counts["acked"]+counts["unknown"])
			if name == "Send" {
				assert.EqualValues(t, 300, counts["sent"], "the record that Send is stuck with may have been sent")
				assert.EqualValues(t, 1, counts["unknown"])
				assert.Positive(t, counts["unsent"])
			}
		})
	}
}

// TestCloseThatStillGivesOutcomesIsWaitedFor has Close give up on its records one by one, as slow as if they were millions.
func TestCloseThatStillGivesOutcomesIsWaitedFor(t *testing.T) {
	for name, test := range map[string]struct {
		outcomes int
		state    producer.State
		within   time.Duration
		left     string
	}{
		"many":    {2 * closeTurns / 3, producer.Unknown, closeTurns * patience, ""},
		"no end":  {10 * closeTurns, producer.Unknown, closeTurns * patience, "it had not, 1m0s after that and 1m0s after the call"},
		"nothing": {0, producer.Unknown, patience, "it had not, 5s after that and 5s after the call"},
		"invalid": {10 * closeTurns, producer.Acked, patience, "it had not, 5s after that and 5s after the call"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				taken, over := 0, make(chan struct{})
				g := newGuest(producer.Kind{Name: "slow"}, func(o producer.Outcome) bool {
					taken++
					return o.State == producer.Unknown
				}, patience, nil)
				g.producer = &rude{close: func() error {
					defer close(over)
					for range test.outcomes {
						<-time.After(patience * 9 / 10)
						g.take(producer.Outcome{Record: &producer.Record{}, State: test.state})
					}
					<-time.After(patience * 9 / 10)
					if test.left != "" {
						<-time.After(2 * closeTurns * patience)
					}
					return errors.New("closed")
				}}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				began := time.Now()
				err := g.close(ctx)
				assert.LessOrEqual(t, time.Since(began), test.within)
				if test.left == "" {
					require.EqualError(t, err, "closed")
					assert.Empty(t, g.broke())
					assert.Equal(t, test.outcomes, taken)
				} else {
					require.NoError(t, err, "a breach is no error of Close")
					require.NotEmpty(t, g.broke())
					assert.Contains(t, g.broke()[0], test.left)
				}
				<-over // also when it was left behind
			})
		})
	}
}

func TestClientThatDoesNotConnectEndsTheRun(t *testing.T) {
	block := stuck(t, 1)
	var late atomic.Pointer[rude]
	connect := func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		inner, err := connectSecond(ctx, config, outcome)
		late.Store(&rude{Producer: inner})
		_ = block()
		return late.Load(), err
	}
	scenario, err := Parse("plain.yaml", []byte(with(t, "load:", "oracle: {start_timeout: 2s}\nload:")), Overrides{})
	require.NoError(t, err)
	var doing string
	_, err = Run(t.Context(), scenario, Options{Producers: only(connect), patience: impatient, Progress: func(p Progress) { doing = p.Step }})
	assert.Equal(t, "connecting producer", doing, "nobody thinks that it was the broker")
	require.ErrorContains(t, err, "connect producer: client sarama broke its contract: New returns at the end of its context or soon after; it had not")
	t.Cleanup(func() { _ = late.Load().Close(context.Background()) })
}

// TestSecondInterruptLeavesWhateverBlocks aborts a run whose client is stuck in Send for good, and would be waited for.
func TestSecondInterruptLeavesWhateverBlocks(t *testing.T) {
	block := stuck(t, 100)
	abort := make(chan struct{})
	scenario, err := Parse("long.yaml", []byte(with(t, "for: 1s", "for: 10m")), Overrides{})
	require.NoError(t, err)
	ctx, interrupt := context.WithCancel(t.Context())
	var once sync.Once
	client := &rude{send: func() error { return block() }, close: stuck(t, 1)}
	result, err := Run(ctx, scenario, Options{Producers: behaving(client), Abort: abort, patience: time.Hour, Progress: func(p Progress) {
		if p.Sent > 0 {
			once.Do(func() {
				interrupt()
				close(abort)
			})
		}
	}})
	assert.Nil(t, result)
	assert.ErrorIs(t, err, ErrAborted)
}

// TestPanicsAreErrors lets every method panic once.
func TestPanicsAreErrors(t *testing.T) {
	panics := func(from int64) func() error {
		var calls atomic.Int64
		return func() error {
			if calls.Add(1) == from {
				panic("oh dear")
			}
			return nil
		}
	}
	for name, client := range map[string]*rude{
		"Send":  {send: panics(100)},
		"Flush": {flush: panics(1)},
		"Close": {close: panics(1)},
		"Stats": {stats: func() { _ = panics(1)() }},
	} {
		t.Run(name, func(t *testing.T) {
			result, evidence := runKept(t, hasty(t), Options{Producers: behaving(client)})
			assert.Equal(t, assertions.Error, result.Verdict)
			require.Len(t, evidence.Broken, 1)
			assert.Contains(t, evidence.Broken[0], "client sarama broke its contract: no method panics; "+name+" did: oh dear")
			if name == "Send" {
				assert.EqualValues(t, 100, result.Counts["sent"], "it gets no more records")
				assert.EqualValues(t, 1, result.Counts["unknown"])
			}
			if name == "Close" {
				assert.NoError(t, client.Producer.Close(context.Background()))
			}
		})
	}
	scenario, err := Parse("plain.yaml", []byte(plainScenario), Overrides{})
	require.NoError(t, err)
	_, err = Run(t.Context(), scenario, Options{Producers: only(
		func(context.Context, producer.Config, func(producer.Outcome)) (producer.Producer, error) {
			panic("oh dear")
		})})
	require.EqualError(t, err, "connect producer: client sarama broke its contract: no method panics; New did: oh dear")
}

func TestNeitherProducerNorError(t *testing.T) {
	scenario, err := Parse("plain.yaml", []byte(plainScenario), Overrides{})
	require.NoError(t, err)
	_, err = Run(t.Context(), scenario, Options{Producers: only(
		func(context.Context, producer.Config, func(producer.Outcome)) (producer.Producer, error) {
			return nil, nil
		})})
	require.EqualError(t, err, "connect producer: client sarama broke its contract: New returns a producer or an error; it returned neither")
}

// TestOutcomesThatCannotBe adds an outcome to those that are right, and wants the clause that it breaks and no other harm.
func TestOutcomesThatCannotBe(t *testing.T) {
	at := func(token producer.Token) *producer.Record { return &producer.Record{Key: []byte("x"), Token: token} }
	for name, test := range map[string]struct {
		add  func(right producer.Outcome) producer.Outcome
		want string
	}{
		"no record": {
			func(producer.Outcome) producer.Outcome { return producer.Outcome{State: producer.Acked} },
			"an outcome has the record that was given to Send; one that said acked had none",
		},
		"no such device": {
			func(producer.Outcome) producer.Outcome {
				return producer.Outcome{Record: at(producer.Token{Device: 1 << 30}), State: producer.Failed}
			},
			"there is one outcome for one accepted record; device 1073741824 #0 of stream 0 was said to be failed without having been sent",
		},
		"no such stream": {
			func(producer.Outcome) producer.Outcome {
				return producer.Outcome{Record: at(producer.Token{Stream: 7}), State: producer.Acked}
			},
			"there is one outcome for one accepted record; device 0 #0 of stream 7 was said to be acked without having been sent",
		},
		"no alerts": {
			func(producer.Outcome) producer.Outcome {
				return producer.Outcome{Record: at(producer.Token{Stream: 1}), State: producer.Acked}
			},
			"there is one outcome for one accepted record; device 0 #0 of stream 1 was said to be acked without having been sent",
		},
		"never sent": {
			func(right producer.Outcome) producer.Outcome {
				token := right.Record.Token
				token.Sequence = 1 << 40
				return producer.Outcome{Record: at(token), State: producer.Unknown}
			},
			" #1099511627776 was said to be unknown when it had its outcome, or had never been sent",
		},
		"twice": {
			func(right producer.Outcome) producer.Outcome { return right },
			" was said to be acked when it had its outcome, or had never been sent",
		},
	} {
		t.Run(name, func(t *testing.T) {
			connect := func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
				var count atomic.Int64
				return connectSecond(ctx, config, func(o producer.Outcome) {
					outcome(o)
					if count.Add(1) == 100 {
						outcome(test.add(o))
					}
				})
			}
			result, evidence := runKept(t, plainScenario, Options{Producers: only(connect)})
			assert.Equal(t, assertions.Error, result.Verdict)
			assert.Contains(t, strings.Join(evidence.Broken, "\n"), test.want)
			for _, text := range result.Reasons {
				assert.NotContains(t, text, "do not add up", "it counts for nothing")
			}
		})
	}
}

// TestForgottenOutcome keeps two outcomes back: their records are in the log, and yet nobody was told.
func TestForgottenOutcome(t *testing.T) {
	connect := func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		var count atomic.Int64
		return connectSecond(ctx, config, func(o producer.Outcome) {
			if n := count.Add(1); n != 100 && n != 200 {
				outcome(o)
			}
		})
	}
	result, evidence := runKept(t, plainScenario, Options{Producers: only(connect)})
	assert.Equal(t, assertions.Error, result.Verdict)
	assert.Equal(t, []string{"client sarama broke its contract: there is one outcome for one accepted record; 2 had none when Close had returned"},
		evidence.Broken)
	assert.EqualValues(t, 2, result.Counts["unknown"])
	assert.Zero(t, result.Counts["acked_lost"], "nobody said that they were acknowledged")
}

func TestOutcomeWithoutAState(t *testing.T) {
	connect := func(ctx context.Context, config producer.Config, outcome func(producer.Outcome)) (producer.Producer, error) {
		var count atomic.Int64
		return connectSecond(ctx, config, func(o producer.Outcome) {
			if count.Add(1)%100 == 0 {
				o.State = 9
			}
			outcome(o)
		})
	}
	result, evidence := runKept(t, plainScenario, Options{Producers: only(connect)})
	assert.Equal(t, assertions.Error, result.Verdict)
	require.Len(t, evidence.Broken, 1)
	assert.Contains(t, evidence.Broken[0], "an outcome is acked, failed or unknown; one had the state 9 (the first of ")
	assert.InDelta(t, 10, result.Counts["unknown"], 1)
}

func TestOutcomeAfterClose(t *testing.T) {
	var count int
	g := newGuest(producer.Kind{Name: "x"}, func(producer.Outcome) bool { count++; return true }, impatient, nil)
	g.producer = &rude{close: func() error { return errors.New("still open") }}
	g.take(producer.Outcome{Record: &producer.Record{}, State: producer.Acked})
	require.EqualError(t, g.close(t.Context()), "still open")
	for range 3 {
		g.take(producer.Outcome{Record: &producer.Record{}, State: producer.Acked})
	}
	assert.Equal(t, 1, count)
	assert.Equal(t, []string{"client x broke its contract: no outcome is given after Close; a record was said to be acked (the first of 3 times)"}, g.broke())
}

func TestFlushHasOneErrorOnly(t *testing.T) {
	g := newGuest(producer.Kind{Name: "x"}, nil, impatient, nil)
	g.producer = &rude{flush: func() error { return errors.New("no idea") }}
	ended, end := context.WithCancel(t.Context())
	end()
	g.flush(ended)
	assert.Empty(t, g.broke())
	g.flush(t.Context())
	assert.Equal(t, []string{"client x broke its contract: the only error of Flush is the end of its context; no idea"}, g.broke())
}

// TestRefusedRecordsHaveFailed refuses some records in Send, and wants to know why.
func TestRefusedRecordsHaveFailed(t *testing.T) {
	var calls atomic.Int64
	client := &rude{send: func() error {
		switch n := calls.Add(1); {
		case n%100 == 0:
			return errors.New("record is too\n large")
		case n == 150:
			return producer.ErrClosed // nobody has closed it
		default:
			return nil
		}
	}}
	result, evidence := runKept(t, with(t, "[promised]", "[promised, failed == 0]"), Options{Producers: behaving(client)})
	assert.Equal(t, assertions.Fail, result.Verdict, "%+v", result.Reasons)
	refused := calls.Load() / 100
	assert.Equal(t, []assertions.ErrorCount{
		{State: "failed", Text: "record is too large", Count: refused}, {State: "failed", Text: "producer is closed", Count: 1},
	}, result.Errors)
	assert.Equal(t, result.Errors, evidence.Errors)
	assert.Equal(t, refused+1, result.Counts["failed"])
	assert.Zero(t, result.Counts["unsent"])
}

func TestCauses(t *testing.T) {
	var c causes
	assert.Empty(t, c.counted())
	c.add(producer.Unknown, nil)
	c.add(producer.Failed, errors.New(strings.Repeat("ä", 200)))
	for i := range assertions.MaxErrors + 8 {
		c.add(producer.Unknown, fmt.Errorf("cause %d", i))
		c.add(producer.Unknown, errors.New("cause 0"))
	}
	c.add(producer.Failed, errors.New("another"))
	counted := c.counted()
	require.Len(t, counted, assertions.MaxErrors+2)
	assert.Equal(t, assertions.ErrorCount{State: "unknown", Text: "the client gave no reason", Count: 1}, counted[0])
	assert.Equal(t, assertions.ErrorCount{State: "failed", Text: strings.Repeat("ä", 150) + " …", Count: 1}, counted[1])
	assert.Equal(t, assertions.ErrorCount{State: "unknown", Text: "cause 0", Count: assertions.MaxErrors + 9}, counted[2])
	assert.Equal(t, assertions.ErrorCount{State: "unknown", Count: 10}, counted[assertions.MaxErrors])
	assert.Equal(t, assertions.ErrorCount{State: "failed", Count: 1}, counted[assertions.MaxErrors+1])
}
