package fault

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestLatency(t *testing.T) {
	s := newScene(t, 1, 1)
	client := s.client()
	s.produce(client, 0, "before")
	const latency = 50 * time.Millisecond
	lives := s.play([]Spec{lasting(Spec{Do: Latency, Latency: new(latency)})}, func(r *Runner) {
		s.inEffect(r, "trouble")
		sent := time.Now()
		s.produce(client, 0, "slow")
		assert.GreaterOrEqual(t, time.Since(sent), latency)
		s.hits(r, 0)
	})
	s.requireLived(lives[0])
	assert.Equal(t, "broker 1", lives[0].Target)
	assert.Equal(t, "responses delayed", lives[0].Proof)
	assert.Zero(t, s.links.links[0].longest())
	s.produce(client, 0, "after")
}

func TestLatencyJitterStaysInItsBounds(t *testing.T) {
	links, err := Listen(0, 7)
	require.NoError(t, err)
	d := &delay{latency: 100 * time.Millisecond, jitter: 40 * time.Millisecond, random: links.random()}
	least, most := d.draw(), d.draw()
	for range 10_000 {
		drawn := d.draw()
		least, most = min(least, drawn), max(most, drawn)
	}
	assert.GreaterOrEqual(t, least, 60*time.Millisecond)
	assert.LessOrEqual(t, most, 140*time.Millisecond)
	assert.Less(t, least, 65*time.Millisecond, "the whole range is drawn")
	assert.Greater(t, most, 135*time.Millisecond)
	require.NoError(t, links.Close())
}

// TestLatenciesAddUp lets two latencies overlap on one link; healing one leaves the other.
func TestLatenciesAddUp(t *testing.T) {
	s := newScene(t, 1, 1)
	client := s.client()
	s.produce(client, 0, "before")
	first := Spec{Name: "first", Do: Latency, Latency: new(40 * time.Millisecond), Target: Target{All: true}, For: 100 * time.Millisecond}
	second := lasting(Spec{Name: "second", Do: Latency, Latency: new(30 * time.Millisecond), Jitter: new(10 * time.Millisecond)})
	link := s.links.links[0]
	lives := s.play([]Spec{first, second}, func(r *Runner) {
		s.eventually("the first to be healed", func() bool { return r.Lives()[0].HealedAt != Never })
		assert.Equal(t, 40*time.Millisecond, link.longest())
		sent := time.Now()
		s.produce(client, 0, "slow")
		assert.GreaterOrEqual(t, time.Since(sent), 20*time.Millisecond)
		s.hits(r, 1)
	})
	s.requireLived(lives[1])
	assert.Zero(t, link.longest())

	link.change(func(f *linkFaults) {
		f.delays = []*delay{{latency: 40 * time.Millisecond}, {latency: 30 * time.Millisecond}}
	})
	sent := time.Now()
	s.produce(client, 0, "slower")
	assert.GreaterOrEqual(t, time.Since(sent), 70*time.Millisecond)
	for _, d := range link.faults.Load().delays {
		assert.Equal(t, int64(1), d.hits.Load())
	}
}

func TestCut(t *testing.T) {
	s := newScene(t, 2, 2)
	client := s.client(kgo.RecordRetries(1_000_000))
	s.produce(client, 0, "before")
	address := s.links.Addrs()[0].String()
	lives := s.play([]Spec{lasting(Spec{Do: Cut, Target: Target{Leader: true, Topic: topic, Partition: 0}})}, func(r *Runner) {
		s.hits(r, 0) // the client's open connections
		hits := r.Lives()[0].Hits
		s.requireReset(address)
		assert.Greater(t, r.Lives()[0].Hits, hits, "a refused connection is a hit")
		require.Error(t, s.cluster.Probe(t.Context(), 0))
		s.produce(client, 1, "through the other link")
	})
	s.requireLived(lives[0])
	assert.Equal(t, "broker 1", lives[0].Target, "the leader, resolved")
	assert.Equal(t, address, s.links.Addrs()[0].String())
	s.produce(client, 0, "after")
	assert.Equal(t, map[string]int{"before": 1, "through the other link": 1, "after": 1}, s.stored())
}

// TestLoseAck sends records one by one while every fifth acknowledgement or so is lost.
func TestLoseAck(t *testing.T) {
	const records = 100
	tests := []struct {
		name       string
		options    []kgo.Opt
		duplicates bool
	}{
		{"idempotent", nil, false},
		{"at least once", []kgo.Opt{kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck())}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t, 1, 1)
			client := s.client(append(test.options, kgo.RecordRetries(1_000_000))...)
			s.produce(client, 0, "before")
			lives := s.play([]Spec{lasting(Spec{Do: LoseAck, Rate: &Rate{Share: 0.2}})}, func(r *Runner) {
				s.inEffect(r, "trouble")
				for i := range records {
					s.produce(client, 0, value(i))
				}
				s.hits(r, 0)
			})
			s.requireLived(lives[0])
			stored := s.stored()
			assert.Len(t, stored, records+1, "nothing is lost")
			copies := 0
			for _, times := range stored {
				copies += times - 1
			}
			if test.duplicates {
				assert.Equal(t, lives[0].Hits, int64(copies), "each lost acknowledgement made the client send its record again")
			} else {
				assert.Zero(t, copies)
			}
		})
	}
}

func TestLoseAckCounts(t *testing.T) {
	s := newScene(t, 1, 1)
	client := s.client(kgo.RecordRetries(1_000_000))
	lives := s.play([]Spec{lasting(Spec{Do: LoseAck, Count: new(3)})}, func(r *Runner) {
		s.inEffect(r, "trouble")
		for i := range 10 {
			s.produce(client, 0, value(i))
		}
		s.hits(r, 0)
	})
	assert.Equal(t, int64(3), lives[0].Hits)
	assert.Len(t, s.stored(), 10)
}

// TestLoseAckOfAcksZero has no acknowledgements to lose, and nothing that breaks.
func TestLoseAckOfAcksZero(t *testing.T) {
	const records = 3 * maxInFlight
	s := newScene(t, 1, 1)
	client := s.client(kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.NoAck()))
	lives := s.play([]Spec{lasting(Spec{Do: LoseAck, Rate: &Rate{Share: 1}})}, func(r *Runner) {
		s.inEffect(r, "trouble")
		for i := range records {
			s.produce(client, 0, value(i))
		}
		s.eventually("every record in the log", func() bool { return len(s.stored()) == records })
	})
	assert.Zero(t, lives[0].Hits)
	assert.Equal(t, Never, lives[0].ProvenAt, "a fault that touched nothing is not proven")
	assert.NotEqual(t, Never, lives[0].HealedAt)
}

// TestLoseAckUnderLatency loses acknowledgements behind others that are still held back.
func TestLoseAckUnderLatency(t *testing.T) {
	s := newScene(t, 1, 1)
	client := s.client(kgo.RecordRetries(1_000_000))
	lives := s.play([]Spec{
		lasting(Spec{Name: "slow", Do: Latency, Latency: new(5 * time.Millisecond)}),
		lasting(Spec{Name: "lossy", Do: LoseAck, Count: new(5)}),
	}, func(r *Runner) {
		s.eventually("both in effect", func() bool {
			f := s.links.links[0].faults.Load()
			return len(f.delays) == 1 && len(f.losses) == 1
		})
		for i := range 50 {
			s.produce(client, 0, value(i))
		}
		s.hits(r, 0)
		s.hits(r, 1)
	})
	s.requireLived(lives[0])
	assert.Equal(t, int64(5), lives[1].Hits)
	for record, times := range s.stored() {
		assert.Equal(t, 1, times, record)
	}
}

func TestError(t *testing.T) {
	s := newScene(t, 2, 2)
	client := s.client(kgo.RecordRetries(1_000_000))
	spec := lasting(Spec{Do: Error, API: "Produce", Error: "NOT_ENOUGH_REPLICAS", Count: new(3), Target: Target{Broker: 2}})
	lives := s.play([]Spec{spec}, func(r *Runner) {
		s.inEffect(r, "trouble")
		s.produce(client, 0, "elsewhere")
		assert.Zero(t, r.Lives()[0].Hits)
		s.produce(client, 1, "here")
		s.hits(r, 0)
	})
	s.requireLived(lives[0])
	assert.Equal(t, int64(3), lives[0].Hits)
	assert.Equal(t, "requests answered with the error", lives[0].Proof)
	assert.Equal(t, map[string]int{"elsewhere": 1, "here": 1}, s.stored())
}

// TestCrash crashes a broker behind its link: the client sees the link reset its connections.
func TestCrash(t *testing.T) {
	s := newScene(t, 2, 2)
	client := s.client(kgo.RecordRetries(1_000_000))
	s.produce(client, 0, "before")
	lives := s.play([]Spec{lasting(Spec{Do: Crash})}, func(r *Runner) {
		s.hits(r, 0)
		require.Error(t, s.cluster.Probe(t.Context(), 0))
		s.produce(client, 1, "to the other broker")
	})
	s.requireLived(lives[0])
	s.produce(client, 0, "after")
	assert.Equal(t, map[string]int{"before": 1, "to the other broker": 1, "after": 1}, s.stored())
}

// TestCrashesOfOneBroker overlap: each counts what it hit itself, and the broker is back when both are over.
func TestCrashesOfOneBroker(t *testing.T) {
	s := newScene(t, 1, 1)
	first := Spec{Name: "first", Do: Crash, Target: Target{All: true}, For: 20 * time.Millisecond}
	lives := s.play([]Spec{first, lasting(Spec{Name: "second", Do: Crash})}, func(r *Runner) {
		s.eventually("the second alone", func() bool {
			lives := r.Lives()
			return lives[1].InjectedAt != Never && r.Current() == "second" && r.field.Clock() > 20*time.Millisecond
		})
		require.Error(t, s.cluster.Probe(t.Context(), 0))
		s.hits(r, 1)
	})
	s.requireLived(lives[1])
	require.NoError(t, s.cluster.Probe(t.Context(), 0))
	assert.NotEqual(t, Never, lives[0].HealedAt, "proven once the other was over")
}

// TestStrangersPassALink sends what is not Kafka's protocol to a server that echoes it.
func TestStrangersPassALink(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	links, err := Listen(1, 7)
	require.NoError(t, err)
	defer links.Close()
	links.Connect([]string{server.Addr().String()})
	slow := &delay{latency: 20 * time.Millisecond}
	for _, delays := range [][]*delay{nil, {slow}} {
		links.links[0].change(func(f *linkFaults) { f.delays = delays })
		for _, text := range []string{"\xff\xff\xff\xff and more", "GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x00\x00", "\x00\x00\x00\x0cheadHEAD1234"} {
			conn, err := net.Dial("tcp", links.Addrs()[0].String())
			require.NoError(t, err)
			for range 3 {
				_, err = io.WriteString(conn, text)
				require.NoError(t, err)
				echo := make([]byte, len(text))
				_, err = io.ReadFull(conn, echo)
				require.NoError(t, err)
				assert.Equal(t, text, string(echo))
			}
			require.NoError(t, conn.Close())
		}
	}
	assert.Positive(t, slow.hits.Load())
}
