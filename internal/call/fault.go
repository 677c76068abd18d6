package call

import (
	"slices"
	"strings"
)

// Faults are kinds of failure that were injected on purpose: a set of the constants below.
type Faults uint8

// The kinds of faults.
const (
	// FaultDelay held the request back.
	FaultDelay Faults = 1 << iota
	// FaultAbort answered in the server's place.
	FaultAbort
	// FaultCorrupt changes bytes of the answer's body, or makes a gRPC message unreadable.
	FaultCorrupt
	// FaultTruncate cuts the body off.
	FaultTruncate
	// FaultReset breaks the connection in mid-body.
	FaultReset
	// FaultSlow slows the body down.
	FaultSlow
)

var faultNames = [...]string{"delay", "abort", "corrupt", "truncate", "reset", "slow"}

// Names are the words for the kinds in f, in the order of the constants; nil for none.
func (f Faults) Names() (names []string) {
	for i, name := range faultNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String is the words with commas between them, fit for a metric's label: there are 63 at most.
func (f Faults) String() string {
	for i, name := range faultNames {
		if f == 1<<i { // which is nearly always so
			return name
		}
	}
	return strings.Join(f.Names(), ",")
}

// FaultsNamed is the set of the kinds with these names. What is no kind's name is left out.
func FaultsNamed(names []string) (f Faults) {
	for i, name := range faultNames {
		if slices.Contains(names, name) {
			f |= 1 << i
		}
	}
	return f
}
