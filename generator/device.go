package generator

// Device is one device of the fleet.
type Device struct {
	Number uint32 // counts over all fleets in the order of the scenario, from 0
	Fleet  int    // index of its fleet
	Index  int    // within its fleet, from 0
	Place  Place
}

// Place is where a device stands. All three count from 1.
type Place struct {
	Building int `json:"building"`
	Floor    int `json:"floor"`
	Room     int `json:"room"`
}

// place is where the device with that index stands: the index read as a number whose lowest digit is the building.
func (l Location) place(index int) Place {
	// All are far below 2³², and half as wide they are quicker to divide.
	n, buildings, floors, rooms := uint32(index), uint32(l.Buildings), uint32(l.Floors), uint32(l.Rooms)
	return Place{
		Building: int(n%buildings) + 1,
		Floor:    int(n/buildings%floors) + 1,
		Room:     int(n/buildings/floors%rooms) + 1,
	}
}

// The language's width of the index in a key: a smaller index is padded, a larger one takes the digits it needs. It
// never depends on the fleet's size, so that the same device has the same key in a fleet of any size.
const (
	keyDigits = 4
	keyPadded = 10_000 // indexes below this one have that width
)

// appendIndex appends a device's index as its key has it.
func appendIndex(dst []byte, index int) []byte {
	if index < keyPadded {
		return appendFour(dst, uint64(index))
	}
	return appendWhole(dst, uint64(index))
}

// indexDigits is how many bytes appendIndex appends.
func indexDigits(index int) int {
	digits := keyDigits
	for next := keyPadded; index >= next; next *= 10 {
		digits++
	}
	return digits
}

// AppendKey appends a device's record key, such as climate-0042. It is made anew each time: to look it up would take longer,
// as each record is another device's and its key would lie in no cache.
func (g *Generator) AppendKey(dst []byte, number uint32) []byte {
	n, index := g.find(number)
	return appendIndex(append(dst, g.fleets[n].prefix...), index)
}

// Key is AppendKey's as a string.
func (g *Generator) Key(number uint32) string { return string(g.AppendKey(nil, number)) }
