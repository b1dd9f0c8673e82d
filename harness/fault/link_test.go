package fault

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestNoLinks(t *testing.T) {
	var none *Links
	assert.Nil(t, none.Addrs())
	none.Connect([]string{"127.0.0.1:1"})
	require.NoError(t, none.Close())
}

// TestLinkPassesOn sends records of many sizes through links without a fault, in many requests at once.
func TestLinkPassesOn(t *testing.T) {
	const records = 2000
	s := newScene(t, 3, 6)
	client := s.client()
	for i := range records {
		text := value(i) + strings.Repeat("x", i%300*10)
		client.Produce(t.Context(), &kgo.Record{Topic: topic, Partition: int32(i % 6), Value: []byte(text)}, func(_ *kgo.Record, err error) {
			assert.NoError(t, err)
		})
	}
	require.NoError(t, client.Flush(t.Context()))
	stored := s.stored()
	assert.Len(t, stored, records)
	for record, times := range stored {
		assert.Equal(t, 1, times, record[:6])
	}
	for _, link := range s.links.links {
		link.mutex.Lock()
		assert.NotEmpty(t, link.open, "the client is connected through every link")
		link.mutex.Unlock()
	}
	client.Close()
	s.eventually("links forget connections that have ended", func() bool {
		open := 0
		for _, link := range s.links.links {
			link.mutex.Lock()
			open += len(link.open)
			link.mutex.Unlock()
		}
		return open == 0
	})
}

func TestLinkResetsWhereNobodyIs(t *testing.T) {
	links, err := Listen(1, 7)
	require.NoError(t, err)
	s := scene{TB: t}
	address := links.Addrs()[0].String()
	s.requireReset(address) // not connected yet

	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	links.Connect([]string{gone.Addr().String()})
	s.requireReset(address)

	require.NoError(t, links.Close())
	require.NoError(t, links.Close())
	_, err = net.Dial("tcp", address)
	require.Error(t, err)
}

// TestLinkEndsAsItsSidesDo ends a connection on either side, in order and by a reset: the other side sees the same.
func TestLinkEndsAsItsSidesDo(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	links, err := Listen(1, 7)
	require.NoError(t, err)
	defer links.Close()
	links.Connect([]string{server.Addr().String()})
	for _, clientEnds := range []bool{false, true} {
		for _, how := range []ending{graceful, abrupt} {
			client, err := net.Dial("tcp", links.Addrs()[0].String())
			require.NoError(t, err)
			accepted, err := server.Accept()
			require.NoError(t, err)
			ends, sees := accepted, client
			if clientEnds {
				ends, sees = client, accepted
			}
			_, err = io.WriteString(ends, "last words")
			require.NoError(t, err)
			words := make([]byte, len("last words"))
			_, err = io.ReadFull(sees, words)
			require.NoError(t, err)
			closeConn(ends.(*net.TCPConn), how)
			_, err = sees.Read(words)
			if how == graceful {
				require.ErrorIs(t, err, io.EOF)
			} else {
				require.Error(t, err)
				require.NotErrorIs(t, err, io.EOF)
			}
			require.NoError(t, sees.Close())
		}
	}
}

// TestLinkDeliversWhatItHoldsBack ends a connection whose last answer is still on its way.
func TestLinkDeliversWhatItHoldsBack(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	links, err := Listen(1, 7)
	require.NoError(t, err)
	defer links.Close()
	links.Connect([]string{server.Addr().String()})
	links.links[0].change(func(f *linkFaults) { f.delays = []*delay{{latency: 50 * time.Millisecond}} })

	client, err := net.Dial("tcp", links.Addrs()[0].String())
	require.NoError(t, err)
	defer client.Close()
	accepted, err := server.Accept()
	require.NoError(t, err)
	sent := time.Now()
	_, err = io.WriteString(accepted, "\x00\x00\x00\x08head1234\x00\x00\x00\x04tail\x00\x00") // two frames and the beginning of a third
	require.NoError(t, err)
	require.NoError(t, accepted.Close())
	answer, err := io.ReadAll(client)
	require.NoError(t, err)
	assert.Equal(t, "\x00\x00\x00\x08head1234\x00\x00\x00\x04tail\x00\x00", string(answer))
	assert.GreaterOrEqual(t, time.Since(sent), 50*time.Millisecond)
}

// TestClosedLinksEndConnections closes links with a connection open, and one held back.
func TestClosedLinksEndConnections(t *testing.T) {
	s := newScene(t, 1, 1)
	conn, err := net.Dial("tcp", s.links.Addrs()[0].String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, s.cluster.Probe(t.Context(), 0))
	require.NoError(t, s.links.Close())
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
}

func TestLatencyIsNotHealedWhileAnswersAreSlow(t *testing.T) {
	s := newScene(t, 1, 1)
	e := newLatency(Spec{Do: Latency, Latency: new(20 * time.Millisecond)}, targets{[]int{0}, s.field()})
	s.eventually("an answer in time", func() bool { return e.healed(t.Context()) == nil })

	// Another latency on the same link is allowed for.
	link := s.links.links[0]
	link.change(func(f *linkFaults) { f.delays = []*delay{{latency: 60 * time.Millisecond}} })
	s.eventually("an answer in time", func() bool { return e.healed(t.Context()) == nil })
	link.change(func(f *linkFaults) { f.delays = nil })

	// What else makes answers slow is not: here a second link behind the first.
	behind, err := Listen(1, 7)
	require.NoError(t, err)
	defer behind.Close()
	behind.Connect([]string{s.cluster.Nodes()[0].Direct})
	behind.links[0].change(func(f *linkFaults) { f.delays = []*delay{{latency: 60 * time.Millisecond}} })
	s.links.Connect([]string{behind.Addrs()[0].String()})
	require.ErrorContains(t, e.healed(t.Context()), "broker 1 answers in ")

	require.NoError(t, s.cluster.Close(t.Context()))
	require.ErrorContains(t, e.healed(t.Context()), "probe broker 1: ")
}

// TestSmallLatencyIsNotHealedWhileItLasts leaves latencies in effect that a single look would take for a busy machine.
func TestSmallLatencyIsNotHealedWhileItLasts(t *testing.T) {
	const us = time.Microsecond
	for name, spec := range map[string]Spec{
		"5ms":            {Do: Latency, Latency: new(5000 * us)},
		"5ms and jitter": {Do: Latency, Latency: new(5000 * us), Jitter: new(5000 * us)},
		"50µs":           {Do: Latency, Latency: new(50 * us)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, 1, 1)
			e := newLatency(spec, targets{[]int{0}, s.field()})
			s.eventually("an answer in time", func() bool { return e.healed(t.Context()) == nil })
			require.NoError(t, e.inject(t.Context()))
			for range 20 {
				require.EqualError(t, e.healed(t.Context()), "broker 1: the link has delayed 5 more responses")
			}
			require.NoError(t, e.undo(t.Context()))
			s.eventually("an answer in time", func() bool { return e.healed(t.Context()) == nil })
		})
	}

	// What delays without being seen to: here a second link behind the first.
	s := newScene(t, 1, 1)
	e := newLatency(Spec{Do: Latency, Latency: new(5000 * us)}, targets{[]int{0}, s.field()})
	behind, err := Listen(1, 7)
	require.NoError(t, err)
	defer behind.Close()
	behind.Connect([]string{s.cluster.Nodes()[0].Direct})
	behind.links[0].change(func(f *linkFaults) { f.delays = []*delay{{latency: 10000 * us}} })
	s.links.Connect([]string{behind.Addrs()[0].String()})
	for range 5 {
		require.ErrorContains(t, e.healed(t.Context()), "around it")
	}
}

// BenchmarkThroughput compares records sent around a link with records sent through one that does nothing.
func BenchmarkThroughput(b *testing.B) {
	for _, through := range []bool{false, true} {
		name := map[bool]string{false: "around", true: "through"}[through]
		b.Run(name, func(b *testing.B) {
			s := newScene(b, 1, 12)
			dial := kgo.Dialer((&net.Dialer{}).DialContext)
			if !through {
				dial = kgo.Dialer(s.cluster.Dial)
			}
			client := s.client(dial, kgo.ProducerBatchCompression(kgo.NoCompression()))
			payload := []byte(strings.Repeat("x", 200))
			b.SetBytes(int64(len(payload)))
			b.ResetTimer()
			for i := range b.N {
				client.Produce(b.Context(), &kgo.Record{Topic: topic, Partition: int32(i % 12), Value: payload}, nil)
			}
			if err := client.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
