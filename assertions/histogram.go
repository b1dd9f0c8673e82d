package assertions

import (
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range of every histogram: microseconds up to one hour. What takes less than a microsecond is recorded as 0; what is
// negative or takes longer is beyond.
const (
	histogramUnit = time.Microsecond
	histogramMax  = time.Hour
)

func newHistogram(digits int) *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(histogramMax/histogramUnit), digits)
}

// encodeHistogram writes a histogram as HdrHistogram V2 compressed. The library adds Base64, which a JSON encoder adds
// to any bytes, so it is taken off here.
func encodeHistogram(h *hdrhistogram.Histogram) []byte {
	text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		// The only errors are an unknown version and those of writing to memory.
		panic("encode histogram: " + err.Error())
	}
	bytes := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(bytes, text)
	if err != nil {
		panic("encode histogram: " + err.Error())
	}
	return slices.Clip(bytes[:n])
}

// decodeHistogram reads what encodeHistogram wrote.
func decodeHistogram(bytes []byte) (*hdrhistogram.Histogram, error) {
	text := make([]byte, base64.StdEncoding.EncodedLen(len(bytes)))
	base64.StdEncoding.Encode(text, bytes)
	h, err := hdrhistogram.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("decode histogram: %w", err)
	}
	return h, nil
}

// mergeHistograms adds up a latency metric over slices. It returns one histogram of the values in microseconds, as precise
// as the first of them and empty where no slice has any, and the number of values that lay outside its range. The error
// names the slice whose bytes are no histogram, or one of values this one cannot hold.
func mergeHistograms(slices []Slice, metric string) (merged *hdrhistogram.Histogram, beyond int64, err error) {
	for i := range slices {
		beyond += slices[i].Beyond[metric]
		bytes := slices[i].Histograms[metric]
		if bytes == nil {
			continue
		}
		h, err := decodeHistogram(bytes)
		if err != nil {
			return nil, 0, fmt.Errorf("merge %s of the slice at %s: %w", metric, slices[i].From, err)
		}
		if merged == nil {
			merged = newHistogram(int(h.SignificantFigures()))
		}
		if dropped := merged.Merge(h); dropped > 0 {
			return nil, 0, fmt.Errorf(
				"merge %s of the slice at %s: %d values beyond %s", metric, slices[i].From, dropped, histogramMax)
		}
	}
	if merged == nil {
		merged = newHistogram(fineDigits)
	}
	return merged, beyond, nil
}

// recorder keeps a histogram of one latency metric for each slice of time. A histogram in use takes up to 188 kB, so only
// the few slices that receive many values have one; of the others a few values wait in a list, and the rest lies
// sealed in its compressed form of some kilobytes:
//
//	value ──▶ histogram, when the slice has one
//	   └────▶ list ──full──▶ histogram (opened from the seal, or anew) ──another slice needs it──▶ seal
//
// So a slice is opened and sealed once for thousands of values, however late and however mixed they arrive, and the
// memory does not depend on how many slices are being written to.
type recorder struct {
	digits  int // of the histograms
	cells   []cell
	open    []int // the cells with a histogram, the longest open first
	waiting int   // values in all lists
	spare   *hdrhistogram.Histogram
}

// cell is the histogram of one slice, in up to three parts.
type cell struct {
	histogram *hdrhistogram.Histogram
	list      []uint32 // microseconds: one hour fits
	sealed    []byte
	beyond    int64
}

const (
	recorderOpen    = 4       // histograms in use
	recorderList    = 1 << 11 // values in a list before its slice gets a histogram: to open and seal one takes 1 ms
	recorderWaiting = 1 << 16 // values in all lists before the longest gives way
)

func newRecorder(slices, digits int) recorder {
	return recorder{digits: digits, cells: make([]cell, slices)}
}

// record adds a value to a slice.
func (r *recorder) record(slice int, value time.Duration) {
	c := &r.cells[slice]
	if value < 0 || value > histogramMax {
		c.beyond++
		return
	}
	if c.histogram != nil {
		recordMicroseconds(c.histogram, int64(value/histogramUnit))
		return
	}
	c.list = append(c.list, uint32(value/histogramUnit))
	r.waiting++
	switch {
	case len(c.list) == recorderList:
		r.use(slice)
	case r.waiting == recorderWaiting:
		r.use(r.longest())
	}
}

// recordMicroseconds adds a value that lies within the range.
func recordMicroseconds(h *hdrhistogram.Histogram, microseconds int64) {
	if err := h.RecordValue(microseconds); err != nil {
		panic("record latency: " + err.Error())
	}
}

// longest returns the cell with the most values in its list.
func (r *recorder) longest() int {
	longest := 0
	for i := range r.cells {
		if len(r.cells[i].list) > len(r.cells[longest].list) {
			longest = i
		}
	}
	return longest
}

// use gives a cell a histogram with everything it has received so far.
func (r *recorder) use(slice int) {
	if len(r.open) == recorderOpen {
		r.seal(r.open[0])
		r.open = append(r.open[:0], r.open[1:]...)
	}
	h := r.spare
	if h == nil {
		h = newHistogram(r.digits)
	}
	r.spare = nil
	r.open = append(r.open, slice)
	c := &r.cells[slice]
	c.pour(h)
	r.waiting -= len(c.list)
	c.histogram, c.list, c.sealed = h, nil, nil
}

// seal takes a cell's histogram away.
func (r *recorder) seal(slice int) {
	c := &r.cells[slice]
	c.sealed = encodeHistogram(c.histogram)
	r.spare = c.histogram
	r.spare.Reset()
	c.histogram = nil
}

// pour adds a cell's sealed and listed values to a histogram.
func (c *cell) pour(h *hdrhistogram.Histogram) {
	if c.sealed != nil {
		old, err := decodeHistogram(c.sealed)
		if err != nil {
			panic(err.Error()) // encodeHistogram wrote it
		}
		h.Merge(old)
	}
	for _, v := range c.list {
		recordMicroseconds(h, int64(v))
	}
}

// close returns every slice's histogram, nil where a slice has no values.
func (r *recorder) close() [][]byte {
	for len(r.open) > 0 {
		r.seal(r.open[0])
		r.open = r.open[1:]
	}
	closed := make([][]byte, len(r.cells))
	h := newHistogram(r.digits)
	for i := range r.cells {
		c := &r.cells[i]
		if len(c.list) > 0 {
			c.pour(h)
			c.sealed, c.list = encodeHistogram(h), nil
			h.Reset()
		}
		closed[i] = c.sealed
	}
	return closed
}
