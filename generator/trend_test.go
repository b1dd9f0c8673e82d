package generator

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trendAt evaluates a trend by name for building 1.
func trendAt(t *testing.T, spec Spec, name string, at time.Time) float64 {
	t.Helper()
	var gains [trendCount]float64
	found := false
	for i, known := range TrendNames() {
		if known == name {
			gains[i], found = 1, true
		}
	}
	require.True(t, found)
	return newTrends(spec, newNormals()).shift(&gains, at.UnixNano(), 1)
}

func TestTrendsExactly(t *testing.T) {
	const h = time.Hour
	monday := start
	spec := plainSpec(1) // peaks at 15:00 and on day 200, work from 8:00 to 18:00
	for _, test := range []struct {
		trend string
		at    time.Time
		want  float64
	}{
		{"diurnal", monday.Add(15 * h), 1},
		{"diurnal", monday.Add(3 * h), -1},
		{"diurnal", monday.Add(9 * h), 0},
		{"diurnal", monday.Add(11 * h), 0.5},
		{"diurnal", monday.Add(39 * h), 1},
		{"diurnal", time.Date(1965, 3, 1, 15, 0, 0, 0, time.UTC), 1},

		{"usage", monday.Add(8 * h), 1},
		{"usage", monday.Add(12 * h), 1},
		{"usage", monday.Add(18 * h), 1},
		{"usage", monday.Add(18*h + 15*time.Minute), 0.5},
		{"usage", monday.Add(18*h + 30*time.Minute), 0},
		{"usage", monday.Add(19 * h), -1},
		{"usage", monday.Add(7 * h), -1},
		{"usage", monday.Add(7*h + 45*time.Minute), 0.5},
		{"usage", monday.AddDate(0, 0, 4).Add(12 * h), 1},  // Friday
		{"usage", monday.AddDate(0, 0, 5).Add(12 * h), -1}, // Saturday
		{"usage", monday.AddDate(0, 0, -1).Add(12 * h), -1},
		{"usage", monday.AddDate(-60, 0, 0).Add(12 * h), 1}, // 1966-01-12 was a Wednesday

		{"load", monday, -0.6},
		{"load", monday.Add(3 * h), -0.5},
		{"load", monday.Add(6 * h), -0.4},
		{"load", monday.Add(7*h + 30*time.Minute), 0.25},
		{"load", monday.Add(9 * h), 0.9},
		{"load", monday.Add(22 * h), -0.5},
		{"load", monday.Add(23 * h), -0.55},
		{"load", monday.Add(47 * h), -0.55},
	} {
		assert.InDelta(t, test.want, trendAt(t, spec, test.trend, test.at), 1e-9, "%s at %v", test.trend, test.at)
	}
}

// The year of 365.25 days drifts against the calendar by less than a day, on which a cosine falls by 1.5e-4.
func TestSeasonalPeaksOnItsDay(t *testing.T) {
	spec := plainSpec(1)
	for _, year := range []int{1999, 2024, 2026, 2027, 2028} {
		peak := time.Date(year, 1, spec.Trends.Seasonal.Peak, 0, 0, 0, 0, time.UTC)
		assert.InDelta(t, 1, trendAt(t, spec, "seasonal", peak), 1.5e-4, "%d", year)
		assert.InDelta(t, -1, trendAt(t, spec, "seasonal", peak.AddDate(0, 0, 183)), 6e-4, "%d", year)
		assert.InDelta(t, 0, trendAt(t, spec, "seasonal", peak.Add(-91*24*time.Hour)), 0.025, "%d", year)
	}
}

func TestTrendsReadTheClockWhereItIsWritten(t *testing.T) {
	spec := plainSpec(1)
	spec.Clock.Start = time.Date(2026, 1, 12, 0, 0, 0, 0, time.FixedZone("", 8*3600))
	for _, trend := range []string{"diurnal", "usage", "load"} {
		for hour := range 24 {
			at := time.Duration(hour) * time.Hour
			assert.InDelta(t, trendAt(t, plainSpec(1), trend, start.Add(at)), trendAt(t, spec, trend, spec.Clock.Start.Add(at)), 1e-9,
				"%s at %d:00", trend, hour)
		}
	}
	assert.Equal(t, time.Date(2026, 1, 11, 16, 0, 0, 0, time.UTC), New(spec).Reading(Due{}).Time, "a payload carries UTC")
}

func TestLoadCurveBetweenPoints(t *testing.T) {
	const h = time.Hour
	spec := plainSpec(1)
	for _, test := range []struct {
		name   string
		points []Point
		want   map[time.Duration]float64
	}{
		{"none", nil, map[time.Duration]float64{0: 0, 12 * h: 0}},
		{"one", []Point{{6 * h, 0.3}}, map[time.Duration]float64{0: 0.3, 6 * h: 0.3, 20 * h: 0.3}},
		{"none at midnight", []Point{{6 * h, 0}, {18 * h, 1}}, map[time.Duration]float64{
			0: 0.5, 3 * h: 0.25, 6 * h: 0, 12 * h: 0.5, 18 * h: 1, 21 * h: 0.75,
		}},
	} {
		spec.Trends.Load.Points = test.points
		for at, want := range test.want {
			assert.InDelta(t, want, trendAt(t, spec, "load", start.Add(at)), 1e-12, "%s at %v", test.name, at)
		}
	}
}

// Work around the clock has no ramp at midnight, except into and out of the weekend.
func TestUsageAtMidnight(t *testing.T) {
	spec := plainSpec(1)
	spec.Trends.Usage = Usage{Open: 0, Close: 24 * time.Hour}
	for at, want := range map[time.Duration]float64{
		-30 * time.Minute:                0,
		0:                                1,
		24 * time.Hour:                   1,
		5*24*time.Hour + 30*time.Minute:  0,
		5*24*time.Hour + 2*time.Hour:     -1,
		7*24*time.Hour - 15*time.Minute:  0.5,
		4*24*time.Hour + 23*time.Hour:    1,
		2*24*time.Hour - time.Nanosecond: 1,
	} {
		assert.InDelta(t, want, trendAt(t, spec, "usage", start.Add(at)), 1e-9, "%v", at)
	}
}

func TestTrendsStayWithinOne(t *testing.T) {
	spec := plainSpec(1)
	for _, trend := range []string{"diurnal", "seasonal", "usage", "load"} {
		for at := start; at.Before(start.AddDate(0, 0, 9)); at = at.Add(37 * time.Minute) {
			require.LessOrEqual(t, math.Abs(trendAt(t, spec, trend, at)), 1., "%s at %v", trend, at)
		}
	}
}
