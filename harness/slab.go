package harness

import "github.com/fleetproof/fleetproof/producer"

const (
	slabBytes   = 64 << 10
	slabRoom    = 4 << 10 // what start leaves at least, so that few payloads have to move
	slabRecords = 128
)

// slab hands out the memory of records from large pieces, so that a record costs a fraction of an allocation. A piece is
// never reused: the records in it belong to the producer until their outcomes, and the garbage collector knows when the
// last of them is gone.
type slab struct {
	bytes   []byte
	records []producer.Record
	headers []producer.Header
}

// start returns an empty slice to append to. What was appended is kept by keep.
func (s *slab) start() []byte {
	if cap(s.bytes)-len(s.bytes) < slabRoom {
		s.bytes = make([]byte, 0, slabBytes)
	}
	return s.bytes[len(s.bytes):]
}

// keep takes what was appended to start's slice out of the slab and returns it, closed to further appending.
func (s *slab) keep(appended []byte) []byte {
	if used := len(s.bytes) + len(appended); used <= cap(s.bytes) {
		s.bytes = s.bytes[:used]
	}
	return appended[:len(appended):len(appended)]
}

// record returns a record that nobody has used.
func (s *slab) record() *producer.Record {
	if len(s.records) == 0 {
		s.records = make([]producer.Record, slabRecords)
	}
	record := &s.records[0]
	s.records = s.records[1:]
	return record
}

// header keeps the bytes and returns them as the one header of a record.
func (s *slab) header(value []byte) []producer.Header {
	if len(s.headers) == 0 {
		s.headers = make([]producer.Header, slabRecords)
	}
	header := s.headers[:1:1]
	s.headers = s.headers[1:]
	header[0] = producer.Header{Key: identityHeader, Value: s.keep(value)}
	return header
}

// keys holds the keys of all devices in one piece.
type keys struct {
	bytes []byte
	ends  []uint32
}

func (k *keys) add(key string) {
	k.bytes = append(k.bytes, key...)
	k.ends = append(k.ends, uint32(len(k.bytes)))
}

// of returns a device's key, closed to appending.
func (k *keys) of(device uint32) []byte {
	var start uint32
	if device > 0 {
		start = k.ends[device-1]
	}
	end := k.ends[device]
	return k.bytes[start:end:end]
}
