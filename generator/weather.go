package generator

import "math"

// weather is one stationary Gaussian autoregressive series of order one per building, of which any grid point can be
// computed alone. Anchors far apart are drawn independently; between two anchors the series is halved again and again
// down to the point (Lévy's construction, here of the Ornstein–Uhlenbeck process, which sampled on a grid is AR(1)). Each
// point has one parent on either side and one draw of its own, so it comes out the same whoever asks, in any order:
//
//	anchor ─────────────────────────── anchor      32 correlation lengths or more
//	                 mid
//	        mid               mid
//	    mid     mid       mid     mid              … down to the grid
type weather struct {
	key     uint64
	normals *normals
	grid    int64   // nanoseconds
	phi     float64 // correlation of neighbours on the grid
	span    int64   // grid steps between anchors, a power of two
	levels  []level // from the widest to the grid
	cached  [4096]cachedWeather
}

// level says how a midpoint follows from the points at equal distance on both sides: mean share × (left + right).
type level struct {
	share, spread float64
}

type cachedWeather struct {
	building int
	step     int64
	value    float64
}

// anchorLengths is how many correlation lengths apart anchors are at least: e⁻³² is below the precision of a float64.
const anchorLengths = 32

func newWeather(spec Weather, key uint64, normals *normals) *weather {
	step := float64(spec.Grid) / float64(spec.Correlation)
	w := &weather{key: key, normals: normals, grid: int64(spec.Grid), phi: math.Exp(-step), span: 1}
	for float64(w.span)*step < anchorLengths {
		w.span *= 2
	}
	for half := w.span / 2; half > 0; half /= 2 {
		rho := math.Exp(-float64(half) * step)
		w.levels = append(w.levels, level{
			share:  rho / (1 + rho*rho),
			spread: math.Sqrt(-math.Expm1(-2*float64(half)*step) / (1 + rho*rho)),
		})
	}
	return w
}

// at is the weather of a building at an event time in nanoseconds.
func (w *weather) at(nanos int64, building int) float64 {
	into := floorMod(nanos, w.grid)
	step := (nanos - into) / w.grid
	left := w.point(step, building)
	if into == 0 {
		return left
	}
	f := float64(into) / float64(w.grid)
	line := (1-f)*left + f*w.point(step+1, building)
	return line / math.Sqrt(1-2*f*(1-f)*(1-w.phi))
}

func (w *weather) point(step int64, building int) float64 {
	cached := &w.cached[(uint64(building)*8+uint64(step)%8)%uint64(len(w.cached))] // time moves on: few steps at once
	if cached.building != building || cached.step != step {
		*cached = cachedWeather{building: building, step: step, value: w.compute(step, mix(w.key, uint64(building)))}
	}
	return cached.value
}

func (w *weather) compute(step int64, key uint64) float64 {
	left := step - floorMod(step, w.span)
	a, b := w.draw(key, left), w.draw(key, left+w.span)
	half := w.span / 2
	for i := 0; left != step; i++ {
		middle := w.levels[i].share*(a+b) + w.levels[i].spread*w.draw(key, left+half)
		if left+half <= step {
			a, left = middle, left+half
		} else {
			b = middle
		}
		half /= 2
	}
	return a
}

func (w *weather) draw(key uint64, step int64) float64 { return w.normals.draw(mix(key, uint64(step))) }
