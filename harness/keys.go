package harness

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
