package assertions

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHuman(t *testing.T) {
	for _, c := range []struct {
		value float64
		unit  string
		want  string
	}{
		{0, "s", "0"},
		{2.5e-8, "s", "25ns"},
		{0.0000042, "s", "4.2µs"},
		{0.00432199, "s", "4.32ms"},
		{0.05, "s", "50ms"},
		{1.2, "s", "1.2s"},
		{95.24, "s", "95.2s"},
		{130, "s", "130s"},
		{9000, "s", "9,000s"},
		{5e-10, "s", "0.5ns"},
		{-0.25, "s", "-250ms"},
		{0, "B", "0"},
		{512, "B", "512B"},
		{1 << 10, "B", "1KiB"},
		{1.5 * (1 << 20), "B/s", "1.5MiB/s"},
		{3 << 30, "B/h", "3GiB/h"},
		{0.999, "%", "99.9%"},
		{0.00012, "%", "0.012%"},
		{0, "%", "0%"},
		{1, "%", "100%"},
		{1.0517, "ratio", "1.05"},
		{120000, "records", "120,000"},
		{29987.4, "records/s", "29,987/s"},
		{1234567890, "records", "1,234,567,890"},
		{999, "records", "999"},
		{-1500.4, "goroutines/h", "-1,500/h"},
		{12345.678, "records/s", "12,346/s"},
		{0.5, "cores", "0.5"},
		{1e-20, "ratio", "0"},
	} {
		assert.Equal(t, c.want, Human(c.value, c.unit, 3), "%g %s", c.value, c.unit)
	}
}
