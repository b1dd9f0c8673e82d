package harness

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"
)

// identityHeader is the key of the one header that carries a record's identity. Every record pays for its length at every
// client and broker, and a client in Go allocates no memory for the text of a single byte.
const identityHeader = "f"

// identity says which record a record is, so that no payload needs to be parsed to know. It travels in one header:
//
//	"FP" version stream | run | session device sequence due of anomalies | checksum of key and value | checksum of the header
//
// The run has eight bytes and the checksums (CRC-32C) four each, big-endian; what lies between are unsigned varints as
// encoding/binary writes them. That makes some 32 bytes of a record, which is a part of the load that every client and
// broker has to carry for being watched.
//
// The payload and the header have a checksum each: a record whose payload was damaged can still be accounted for, and a
// damaged header is never mistaken for another record's.
type identity struct {
	Stream    uint8         // streamReadings or streamAlerts
	Run       uint64        // which run sent it
	Session   uint16        // of the producer: a resumed producer starts a new one
	Device    uint32        // number over all fleets
	Sequence  uint64        // the device's own, dense from 0
	Due       time.Duration // since the start of the first stage
	Of        uint64        // 1 + the sequence number of the reading that this record repeats or raises the alarm for; 0: none
	Anomalies uint64        // bit n: changed by anomaly n of the scenario
}

// The streams of a run.
const (
	streamReadings uint8 = iota
	streamAlerts
)

const (
	identityVersion = 2

	identityStart = 4 + 8 // what comes before the varints
	identityEnd   = 4 + 4 // and after them
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errNoIdentity and errGarbled tell a record that was never ours from one that was.
var (
	errNoIdentity = errors.New("no identity in a header " + identityHeader)
	errGarbled    = errors.New("the identity in header " + identityHeader + " does not match its checksum")
)

// append adds the header's bytes for a record with the given key and value.
func (id identity) append(dst, key, value []byte) []byte {
	start := len(dst)
	dst = append(dst, 'F', 'P', identityVersion, id.Stream)
	dst = binary.BigEndian.AppendUint64(dst, id.Run)
	dst = binary.AppendUvarint(dst, uint64(id.Session))
	dst = binary.AppendUvarint(dst, uint64(id.Device))
	dst = binary.AppendUvarint(dst, id.Sequence)
	dst = binary.AppendUvarint(dst, uint64(id.Due))
	dst = binary.AppendUvarint(dst, id.Of)
	dst = binary.AppendUvarint(dst, id.Anomalies)
	dst = binary.BigEndian.AppendUint32(dst, payloadChecksum(key, value))
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// parseIdentity reads a header. intact says whether key and value are the ones it was made for.
func parseIdentity(header, key, value []byte) (id identity, intact bool, err error) {
	if len(header) < 2 || header[0] != 'F' || header[1] != 'P' {
		return identity{}, false, errNoIdentity
	}
	if len(header) < identityStart+identityEnd || header[2] != identityVersion {
		return identity{}, false, errGarbled
	}
	end := len(header) - identityEnd
	if crc32.Checksum(header[:end+4], castagnoli) != binary.BigEndian.Uint32(header[end+4:]) {
		return identity{}, false, errGarbled
	}
	var varints [6]uint64 // in the order of the header
	rest := header[identityStart:end]
	for i := range varints {
		value, size := binary.Uvarint(rest)
		if size <= 0 {
			return identity{}, false, errGarbled
		}
		varints[i], rest = value, rest[size:]
	}
	if len(rest) > 0 || varints[0] > math.MaxUint16 || varints[1] > math.MaxUint32 {
		return identity{}, false, errGarbled
	}
	id = identity{
		Stream:    header[3],
		Run:       binary.BigEndian.Uint64(header[4:]),
		Session:   uint16(varints[0]),
		Device:    uint32(varints[1]),
		Sequence:  varints[2],
		Due:       time.Duration(varints[3]),
		Of:        varints[4],
		Anomalies: varints[5],
	}
	return id, binary.BigEndian.Uint32(header[end:]) == payloadChecksum(key, value), nil
}

func payloadChecksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}
