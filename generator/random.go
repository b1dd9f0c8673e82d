package generator

import (
	"hash/fnv"
	"math/rand/v2"
)

// Every draw is a function of a key that mix has made, and of nothing else: no draw depends on the ones before it, which is
// what makes a reading computable alone. The key is itself as good as a random number, so that it is the draw.

// uniform draws from [0, 1). The sign tells the compiler that one instruction makes a float64 of it.
func uniform(key uint64) float64 { return float64(int64(key>>11)) / (1 << 53) }

// hits says whether the key is among the given share of all keys.
func hits(key uint64, share Share) bool { return uniform(key) < float64(share) }

// normals draws from N(0, 1).
type normals struct {
	source splitMix
	random *rand.Rand
}

func newNormals() *normals {
	n := &normals{}
	n.random = rand.New(&n.source)
	return n
}

func (n *normals) draw(key uint64) float64 {
	n.source.next = key
	return n.random.NormFloat64()
}

// splitMix is a source that begins with a key. Few draws need more than that.
type splitMix struct{ next uint64 }

func (s *splitMix) Uint64() uint64 {
	drawn := s.next
	s.next = mix(drawn, 1)
	return drawn
}

// purpose tells apart the draws that are made for one device or reading.
type purpose uint64

const (
	forPhase purpose = iota
	forJitter
	forMissing
	forDuplicate
	forLate
)

func (p purpose) of(key uint64) uint64 { return mix(key, uint64(p)) }

// mix derives a key from a key and a number. For a fixed key and counting numbers it is the SplitMix64 generator
// (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014), so neighbours are as good as independent.
func mix(key, number uint64) uint64 {
	key += number * 0x9e3779b97f4a7c15
	key = (key ^ key>>30) * 0xbf58476d1ce4e5b9
	key = (key ^ key>>27) * 0x94d049bb133111eb
	return key ^ key>>31
}

// named derives a key from a key and a name.
func named(key uint64, name string) uint64 {
	hash := fnv.New64a()
	hash.Write([]byte(name))
	return mix(key, hash.Sum64())
}
