package generator

import (
	"hash/fnv"
	"math/rand/v2"
)

// draws gives random numbers that are functions of a key. The source is seeded anew for every draw, so that no draw
// depends on the ones before it: that is what makes a reading computable alone.
type draws struct {
	source rand.PCG
	random *rand.Rand
}

func newDraws() *draws {
	d := &draws{}
	d.random = rand.New(&d.source)
	return d
}

// uniform draws from [0, 1), as rand.Rand's Float64 does, but without the detour over its interface.
func (d *draws) uniform(key uint64) float64 {
	d.source.Seed(key, key)
	return float64(d.source.Uint64()<<11>>11) / (1 << 53)
}

// normal draws from N(0, 1).
func (d *draws) normal(key uint64) float64 {
	d.source.Seed(key, key)
	return d.random.NormFloat64()
}

// hits says whether the key is among the given share of all keys.
func (d *draws) hits(key uint64, share Share) bool {
	switch {
	case share <= 0:
		return false
	case share >= 1:
		return true
	}
	return d.uniform(key) < float64(share)
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
