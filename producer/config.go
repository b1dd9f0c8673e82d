package producer

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Config is the producer's part of a scenario: every setting that changes what the client promises or how fast it is.
// It carries no defaults; those live in scenarios/defaults.yaml.
type Config struct {
	// Bootstrap, ClientID and MetadataRefresh are filled in by the harness, not by the scenario.
	Bootstrap       []string      `yaml:"-"`
	ClientID        string        `yaml:"-"`
	MetadataRefresh time.Duration `yaml:"-"` // how often the client asks which partitions there are, without any trouble; 0: as it does by itself

	Kind        string      `yaml:"kind"`          // which client is put under test: the name of one that the program was built with
	Acks        Acks        `yaml:"acks"`          // how many replicas must have a record before it is acknowledged
	Idempotent  bool        `yaml:"idempotent"`    // the broker drops repeated batches (KIP-98); needs acks all
	Compression Compression `yaml:"compression"`   // codec of the record batches
	Partitioner Partitioner `yaml:"partitioner"`   // what maps a key to a partition
	Batch       Batch       `yaml:"batch"`         // when a batch is sent
	MaxInFlight int         `yaml:"max_in_flight"` // requests without a response on one connection; 0: as many as the client has by itself
	Retry       Retry       `yaml:"retry"`         // how long a record is tried again
	Timeout     Timeout     `yaml:"timeout"`       // deadlines of the client
	Encoding    Encoding    `yaml:"encoding"`      // format of the payload
}

// Batch says when a batch is sent: at Bytes, or after Linger, whichever comes first.
type Batch struct {
	Bytes  Size          `yaml:"bytes"`
	Linger time.Duration `yaml:"linger"`
}

// Retry bounds the attempts of one record.
type Retry struct {
	Max     int           `yaml:"max"`     // attempts after the first
	Backoff time.Duration `yaml:"backoff"` // pause before each
}

// Timeout bounds the client's waits.
type Timeout struct {
	Dial    time.Duration `yaml:"dial"`    // opening a connection
	Read    time.Duration `yaml:"read"`    // waiting for a response: a frozen broker is noticed after this
	Request time.Duration `yaml:"request"` // what the broker may spend on collecting acknowledgements; below read
}

// Acks is the number of replicas that must hold a record before the broker acknowledges it.
type Acks string

// The acknowledgement levels of Kafka's produce request.
const (
	AcksAll    Acks = "all"
	AcksLeader Acks = "1"
	AcksNone   Acks = "0"
)

// Known lists the levels.
func (Acks) Known() []string { return []string{string(AcksAll), string(AcksLeader), string(AcksNone)} }

// Compression is a codec of Kafka's record batches.
type Compression string

// The codecs of the protocol.
const (
	CompressionNone   Compression = "none"
	CompressionGzip   Compression = "gzip"
	CompressionSnappy Compression = "snappy"
	CompressionLZ4    Compression = "lz4"
	CompressionZstd   Compression = "zstd"
)

// Known lists the codecs.
func (Compression) Known() []string {
	return []string{
		string(CompressionNone), string(CompressionGzip), string(CompressionSnappy),
		string(CompressionLZ4), string(CompressionZstd),
	}
}

// Encoding is the format of a payload. Payloads reach a client as they are to be sent.
type Encoding string

// The formats.
const (
	EncodingJSON     Encoding = "json"
	EncodingProtobuf Encoding = "protobuf" // the message of generator/reading.proto
)

// Known lists the formats.
func (Encoding) Known() []string { return []string{string(EncodingJSON), string(EncodingProtobuf)} }

// Size is a number of bytes, written as 16KiB.
type Size int

var sizeUnits = []struct {
	suffix string
	bytes  int
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}}

// UnmarshalText reads a whole number with one of the units B, KiB, MiB and GiB.
func (s *Size) UnmarshalText(text []byte) error {
	for _, unit := range sizeUnits {
		digits, found := strings.CutSuffix(string(text), unit.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || n > uint64(math.MaxInt/unit.bytes) {
			break
		}
		*s = Size(int(n) * unit.bytes)
		return nil
	}
	return fmt.Errorf("want a whole number of bytes with its unit, such as 16KiB, 1MiB or 512B, got %q", text)
}

// String writes the size with the largest unit that divides it.
func (s Size) String() string {
	for _, unit := range []int{2, 1, 0} {
		if n := int(s); n > 0 && n%sizeUnits[unit].bytes == 0 {
			return strconv.Itoa(n/sizeUnits[unit].bytes) + sizeUnits[unit].suffix
		}
	}
	return strconv.Itoa(int(s)) + "B"
}
