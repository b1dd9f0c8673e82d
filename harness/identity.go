package harness

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

// identityHeader is the key of the one header that carries a record's identity.
const identityHeader = "fleetproof"

// identity says which record a record is, so that no payload needs to be parsed to know. It travels in one header of
// identitySize bytes, big-endian:
//
//	"FP" version stream | run | session device | sequence | due | of | anomalies | checksum of key and value | checksum of the header
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
	identitySize    = 58
	identityVersion = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errNoIdentity and errGarbled tell a record that was never ours from one that was.
var (
	errNoIdentity = errors.New("no fleetproof header")
	errGarbled    = errors.New("fleetproof header does not match its checksum")
)

// append adds the header's bytes for a record with the given key and value.
func (id identity) append(dst, key, value []byte) []byte {
	start := len(dst)
	dst = append(dst, 'F', 'P', identityVersion, id.Stream)
	dst = binary.BigEndian.AppendUint64(dst, id.Run)
	dst = binary.BigEndian.AppendUint16(dst, id.Session)
	dst = binary.BigEndian.AppendUint32(dst, id.Device)
	dst = binary.BigEndian.AppendUint64(dst, id.Sequence)
	dst = binary.BigEndian.AppendUint64(dst, uint64(id.Due))
	dst = binary.BigEndian.AppendUint64(dst, id.Of)
	dst = binary.BigEndian.AppendUint64(dst, id.Anomalies)
	dst = binary.BigEndian.AppendUint32(dst, payloadChecksum(key, value))
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// parseIdentity reads a header. intact says whether key and value are the ones it was made for.
func parseIdentity(header, key, value []byte) (id identity, intact bool, err error) {
	if len(header) < 2 || header[0] != 'F' || header[1] != 'P' {
		return identity{}, false, errNoIdentity
	}
	if len(header) != identitySize || header[2] != identityVersion ||
		crc32.Checksum(header[:identitySize-4], castagnoli) != binary.BigEndian.Uint32(header[identitySize-4:]) {
		return identity{}, false, errGarbled
	}
	id = identity{
		Stream:    header[3],
		Run:       binary.BigEndian.Uint64(header[4:]),
		Session:   binary.BigEndian.Uint16(header[12:]),
		Device:    binary.BigEndian.Uint32(header[14:]),
		Sequence:  binary.BigEndian.Uint64(header[18:]),
		Due:       time.Duration(binary.BigEndian.Uint64(header[26:])),
		Of:        binary.BigEndian.Uint64(header[34:]),
		Anomalies: binary.BigEndian.Uint64(header[42:]),
	}
	return id, binary.BigEndian.Uint32(header[50:]) == payloadChecksum(key, value), nil
}

func payloadChecksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}
