package traffic

import "math/bits"

// spread turns a counter into numbers that fill [0, 2^64) evenly: of any 2^k requests whose first number is a multiple of
// 2^k exactly one falls into each of 2^k equal parts. So a share s of N requests is met to within less than one request
// for each bit that is set in N, at most log2(N)+1, however small or odd s is, and a sequence that draws lots would be off
// by the square root of N.
//
// That much is van der Corput's sequence, the bits of n in reverse. By itself it is fatal to callers with a rhythm: where
// every second request is a "checkout", all checkouts would have the same first bit and go to one of two versions. So the
// order within each of those groups of 2^k is shuffled, at each size of group on its own, as Owen scrambles nets: a bit
// changes depending on those of lower place in the reversed number, which are those of higher place in n. The products by
// even numbers do just that (Laine and Karras, "Stratified sampling for stochastic transparency", 2011).
func spread(n uint64) uint64 {
	u := bits.Reverse64(n)
	u ^= u * 0x9e3779b97f4a7c16
	u += 0x2545f4914f6cdd1d
	u *= 0xd1342543de82ef95
	u ^= u * 0xbf58476d1ce4e5ba
	u ^= u * 0x94d049bb133111ea
	return u
}
