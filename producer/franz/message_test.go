package franz

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/fleetproof/fleetproof/producer"
	"github.com/fleetproof/fleetproof/producer/inflight"
)

func TestMessage(t *testing.T) {
	r := record(7)
	m := newMessage(context.Background(), nil, r)
	assert.Equal(t, r.Key, m.record.Key)
	assert.Equal(t, r.Value, m.record.Value)
	assert.Equal(t, r.Timestamp, m.record.Timestamp)
	assert.Equal(t, []kgo.RecordHeader{{Key: "fleetproof", Value: r.Headers[0].Value}}, m.record.Headers)
	assert.Same(t, m, m.record.Context)
	assert.Same(t, r, m.entry.Record)
	assert.Equal(t, len(r.Key)+len(r.Value)+len("fleetproof")+len(r.Headers[0].Value), m.size())
	_, limited := m.Deadline()
	assert.False(t, limited)
	assert.Nil(t, m.Value("key"))
}

// TestContextLetsGo: what ends Send's context afterwards is nothing to the record.
func TestContextLetsGo(t *testing.T) {
	for name, waited := range map[string]bool{"at once": false, "after a wait": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(context.Background())
				closing := make(chan struct{})
				m := newMessage(ctx, closing, record(0))
				var asked <-chan struct{}
				if waited {
					asked = m.Done()
					require.NotNil(t, asked)
				}
				require.NoError(t, m.handedOver())
				cancel()
				close(closing)
				synctest.Wait()
				require.Nil(t, m.Done())
				require.NoError(t, m.Err())
				select {
				case <-asked:
					t.Fatal("canceled")
				default:
				}
			})
		})
	}
}

// TestBlockedSend: what ends a Send that waits for room.
func TestBlockedSend(t *testing.T) {
	for want, end := range map[string]func(closing chan struct{}, cancel context.CancelCauseFunc){
		"send record: interrupted": func(_ chan struct{}, cancel context.CancelCauseFunc) { cancel(errors.New("interrupted")) },
		"producer is closed":       func(closing chan struct{}, _ context.CancelCauseFunc) { close(closing) },
	} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &asyncProducer{inFlight: inflight.New(func(producer.Outcome) { t.Error("an outcome") })}
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				closing := make(chan struct{})
				m := newMessage(ctx, closing, record(0))
				require.True(t, p.inFlight.Enter(&m.entry))
				produce := make(chan error)
				go func() { // as franz-go does with a full buffer
					<-m.Done()
					go p.settle(&m.record, m.Err())
					produce <- m.handedOver()
				}()
				synctest.Wait()
				end(closing, cancel)
				require.EqualError(t, <-produce, want)
				assert.Zero(t, p.inFlight.Count())
			})
		})
	}
}

// TestAcceptedAllTheSame: the context ends while Produce finds room. The record has a partition, so it is not given back;
// another record that waits for the partitions of its topic fails together with the one whose context ended.
func TestAcceptedAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var y tally
		p := &asyncProducer{inFlight: inflight.New(y.outcome), largest: 1 << 20}
		ctx, cancel := context.WithCancel(context.Background())
		first, second := newMessage(ctx, nil, record(0)), newMessage(ctx, nil, record(1))
		for _, m := range []*message{first, second} {
			require.True(t, p.inFlight.Enter(&m.entry))
			require.NotNil(t, m.Done())
		}
		cancel()
		synctest.Wait()
		broken := first.Err()
		require.EqualError(t, broken, "given back: context canceled")
		require.ErrorIs(t, broken, context.Canceled)
		first.accept()
		first.accept()
		require.NoError(t, first.Err())
		require.NoError(t, first.handedOver())

		handed := make(chan error)
		go func() { handed <- second.handedOver() }()
		synctest.Wait()
		p.settle(&second.record, broken)
		require.NoError(t, <-handed, "it has an outcome")
		assert.Equal(t, producer.Unknown, y.of(1).State)
		p.settle(&first.record, nil)
		assert.Equal(t, map[producer.State]int{producer.Acked: 1, producer.Unknown: 1}, y.once(t, 2))
	})
}
