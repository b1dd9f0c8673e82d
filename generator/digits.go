package generator

// round rounds to the nearest whole number, and halves away from zero, as math.Round does, for magnitudes below 2⁶³. It
// cuts off after it has added almost a half: to add a half to the number before 0.5 would make 1 of it.
func round(value float64) int64 {
	const almostHalf = 0.5 - 1./(1<<54)
	if value < 0 {
		return int64(value - almostHalf)
	}
	return int64(value + almostHalf)
}

// twoDigits are the numbers from 00 to 99, end to end.
const twoDigits = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849" +
	"5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

// appendHundredths appends n/100 as encoding/json does: without zeros at the end.
func appendHundredths(dst []byte, n int64) []byte {
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	whole, rest := uint64(n)/100, uint64(n)%100
	dst = appendWhole(dst, whole)
	switch tens, ones := twoDigits[2*rest], twoDigits[2*rest+1]; {
	case ones != '0':
		return append(dst, '.', tens, ones)
	case tens != '0':
		return append(dst, '.', tens)
	default:
		return dst
	}
}

// appendWhole appends a number, two digits at a time.
func appendWhole(dst []byte, n uint64) []byte {
	switch {
	case n < 10:
		return append(dst, '0'+byte(n))
	case n < 100:
		return append(dst, twoDigits[2*n], twoDigits[2*n+1])
	case n < 1000:
		return append(dst, '0'+byte(n/100), twoDigits[2*(n%100)], twoDigits[2*(n%100)+1])
	case n < 10_000:
		return appendFour(dst, n)
	default:
		return appendFour(appendWhole(dst, n/10_000), n%10_000)
	}
}

// appendFour appends a number below 10,000 with zeros in front.
func appendFour(dst []byte, n uint64) []byte {
	high, low := n/100, n%100
	return append(dst, twoDigits[2*high], twoDigits[2*high+1], twoDigits[2*low], twoDigits[2*low+1])
}
