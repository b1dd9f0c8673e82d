package fault

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestElectLeader(t *testing.T) {
	tests := []struct {
		name   string
		spec   Spec
		during []int
		after  []int
	}{
		{"one partition, for good", Spec{Target: Target{Topic: topic, Partition: 1}}, []int{1, 3, 3, 1}, []int{1, 3, 3, 1}},
		{"one partition, for a while", Spec{Target: Target{Topic: topic, Partition: 1}, For: time.Hour}, []int{1, 3, 3, 1}, []int{1, 2, 3, 1}},
		{"a topic", Spec{Target: Target{Topic: topic, Whole: true}, For: time.Hour}, []int{2, 3, 1, 2}, []int{1, 2, 3, 1}},
		{"all", Spec{Target: Target{All: true}}, []int{2, 3, 1, 2}, []int{2, 3, 1, 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t, 3, 4)
			client := s.client(kgo.RecordRetries(1_000_000))
			require.Equal(t, []int{1, 2, 3, 1}, s.leaders())
			test.spec.Do, test.spec.Name = ElectLeader, "election"
			lives := s.play([]Spec{test.spec}, func(r *Runner) {
				s.hits(r, 0)
				assert.Equal(t, test.during, s.leaders())
				s.produce(client, 1, "elsewhere")
			})
			s.requireLived(lives[0])
			assert.Equal(t, test.spec.Target.String(), lives[0].Target)
			assert.Equal(t, test.after, s.leaders())
			hits := 0
			for p, leader := range test.during {
				if leader != []int{1, 2, 3, 1}[p] {
					hits++
				}
			}
			assert.Equal(t, int64(hits), lives[0].Hits)
			assert.Equal(t, "partitions seen with another leader", lives[0].Proof)
			s.produce(client, 1, "after")
			assert.Equal(t, map[string]int{"elsewhere": 1, "after": 1}, s.stored())
		})
	}
}

func TestMoveLeader(t *testing.T) {
	whole := Target{Topic: topic, Whole: true}
	tests := []struct {
		name   string
		spec   Spec
		hits   int64
		during []int
		after  []int
	}{
		{"to one broker, for a while", Spec{Target: whole, To: new(3), For: time.Hour}, 3, []int{3, 3, 3, 3}, []int{1, 2, 3, 1}},
		{"to one broker, for good", Spec{Target: Target{Topic: topic}, To: new(3)}, 1, []int{3, 2, 3, 1}, []int{3, 2, 3, 1}},
		{"on", Spec{Target: whole}, 4, []int{2, 3, 1, 2}, []int{2, 3, 1, 2}},
		{"to where it is", Spec{Target: Target{Topic: topic}, To: new(1), For: time.Hour}, 0, []int{1, 2, 3, 1}, []int{1, 2, 3, 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t, 3, 4)
			test.spec.Do, test.spec.Name = MoveLeader, "move"
			lives := s.play([]Spec{test.spec}, func(r *Runner) {
				s.eventually("leaders that have moved", func() bool { return assert.ObjectsAreEqual(test.during, s.leaders()) })
				s.eventually("the effect", func() bool {
					return r.Lives()[0].InjectedAt != Never && (test.hits == 0 || r.Lives()[0].ProvenAt != Never)
				})
			})
			assert.Equal(t, test.hits, lives[0].Hits)
			assert.Equal(t, test.hits == 0, lives[0].ProvenAt == Never)
			assert.NotEqual(t, Never, lives[0].HealedAt)
			assert.Equal(t, test.after, s.leaders())
		})
	}
}

// TestNextLeader decides who is to lead partitions that are not as they were created.
func TestNextLeader(t *testing.T) {
	s := newScene(t, 3, 1) // whose nodes are 0, 1 and 2
	elect, move, to := Spec{Do: ElectLeader}, Spec{Do: MoveLeader}, Spec{Do: MoveLeader, To: new(3)}
	tests := []struct {
		name  string
		spec  Spec
		now   partition
		to    int32
		found bool
	}{
		{"the next", elect, partition{leader: 0, replicas: []int32{0, 1, 2}, isr: []int32{0, 1, 2}}, 1, true},
		{"the next in sync", elect, partition{leader: 0, replicas: []int32{0, 1, 2}, isr: []int32{2, 0}}, 2, true},
		{"the preferred one", elect, partition{leader: 1, replicas: []int32{0, 1, 2}, isr: []int32{0, 1, 2}}, 0, true},
		{"not the preferred one, which is away", elect, partition{leader: 1, replicas: []int32{0, 1, 2}, isr: []int32{1, 2}}, 2, true},
		{"nobody else", elect, partition{leader: 1, replicas: []int32{0, 1, 2}, isr: []int32{1}}, 0, false},
		{"nobody leads", elect, partition{leader: -1, replicas: []int32{0, 1, 2}, isr: []int32{1}}, 0, false},
		{"on, past the preferred one", move, partition{leader: 1, replicas: []int32{0, 1, 2}, isr: []int32{0, 1, 2}}, 2, true},
		{"on, from the last", move, partition{leader: 2, replicas: []int32{0, 1, 2}, isr: []int32{0, 1, 2}}, 0, true},
		{"to a broker", to, partition{leader: 1, replicas: []int32{1, 0, 2}, isr: []int32{0, 1, 2}}, 2, true},
		{"to a broker that is behind", to, partition{leader: 1, replicas: []int32{1, 0, 2}, isr: []int32{0, 1}}, 2, false},
		{"to a broker without a replica", to, partition{leader: 1, replicas: []int32{1, 0}, isr: []int32{0, 1}}, 2, false},
	}
	for _, test := range tests {
		e := &leaderEffect{sighted: sighted{targets: targets{field: s.field()}}, spec: test.spec}
		next, found := e.next(test.now)
		assert.Equal(t, test.found, found, test.name)
		if found {
			assert.Equal(t, test.to, next, test.name)
		}
	}
}

func TestAddPartitions(t *testing.T) {
	s := newScene(t, 3, 2)
	client := s.client(kgo.MetadataMaxAge(50 * time.Millisecond))
	s.produce(client, 0, "before")
	field := s.field()
	var mutex sync.Mutex
	grown := map[string]int{}
	field.Grows = func(topic string, partitions int) {
		mutex.Lock()
		defer mutex.Unlock()
		assert.Len(t, s.leaders(), 2, "nobody has seen them yet")
		grown[topic] = partitions
	}
	r := NewRunner([]Spec{{Name: "growth", Do: AddPartitions, Target: Target{Topic: topic, Whole: true}, To: new(7)}}, field)
	require.NoError(t, r.Run(t.Context()))
	life := r.Lives()[0]
	s.requireLived(life)
	assert.Equal(t, int64(5), life.Hits)
	assert.Equal(t, map[string]int{topic: 7}, grown)
	assert.Equal(t, []int{1, 2, 3, 1, 2, 3, 1}, s.leaders())
	s.eventually("a record in a new partition", func() bool { return s.tryProduce(client, 6, "after") == nil })
	assert.Equal(t, map[string]int{"before": 1, "after": 1}, s.stored())

	again := NewRunner([]Spec{{Name: "growth", Do: AddPartitions, Target: Target{Topic: topic, Whole: true}, To: new(6)}}, s.field())
	require.ErrorContains(t, again.Run(t.Context()), "fault growth: inject: add partitions to readings: ")
}

func TestShrinkISROfAnEmbeddedBroker(t *testing.T) {
	s := newScene(t, 3, 3)
	client := s.client(kgo.RecordRetries(1_000_000))
	lives := s.play([]Spec{lasting(Spec{Do: ShrinkISR, Target: Target{Topic: topic, Partition: 1}})}, func(r *Runner) {
		s.inEffect(r, "trouble")
		s.produce(client, 0, "elsewhere")
		refused := make(chan error, 1)
		client.Produce(t.Context(), &kgo.Record{Topic: topic, Partition: 1, Value: []byte("here")}, func(_ *kgo.Record, err error) { refused <- err })
		s.hits(r, 0)
		assert.Empty(t, refused, "nothing is acknowledged")
		t.Cleanup(func() { require.NoError(t, <-refused) })
	})
	s.requireLived(lives[0])
	assert.Equal(t, "readings/1 (broker 2)", lives[0].Target)
	require.NoError(t, client.Flush(t.Context()))
	assert.Equal(t, map[string]int{"elsewhere": 1, "here": 1}, s.stored())
}
