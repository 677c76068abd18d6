package balance

import (
	"errors"
	"fmt"
	"math"
)

// Validate reports what cannot be honoured, each by the field's name. A field that the algorithm ignores is not an error.
func (c Config) Validate() error {
	return errors.Join(c.validAlgorithm(), c.validChoices(), c.validRing(), c.validTable(), c.validBound(), c.validStart())
}

func (c Config) validAlgorithm() error {
	for _, a := range Algorithms() {
		if c.Algorithm == a || c.Algorithm == "" {
			return nil
		}
	}
	return fmt.Errorf("balance: Algorithm: unknown algorithm %q (known: %s, %s, %s, %s, %s)", string(c.Algorithm),
		LeastRequest, RoundRobin, Random, RingHash, Maglev)
}

func (c Config) validChoices() error {
	if c.Choices != 0 && (c.Choices < 2 || c.Choices > maxChoices) {
		return fmt.Errorf("balance: Choices: %d: want 2 to %d", c.Choices, maxChoices)
	}
	return nil
}

func (c Config) validRing() error {
	for _, f := range []struct {
		name string
		size int
	}{{"RingMin", c.RingMin}, {"RingMax", c.RingMax}} {
		if f.size < 0 || f.size > maxRing {
			return fmt.Errorf("balance: %s: %d: want 1 to %d", f.name, f.size, maxRing)
		}
	}
	if low, high := c.ring(); low > high {
		return fmt.Errorf("balance: RingMin: %d is more than RingMax, %d", low, high)
	}
	return nil
}

func (c Config) validTable() error {
	if c.TableSize != 0 && (c.TableSize < 2 || c.TableSize > maxTableSize || !isPrime(c.TableSize)) {
		return fmt.Errorf("balance: TableSize: %d: want a prime of at most %d", c.TableSize, maxTableSize)
	}
	return nil
}

func (c Config) validBound() error {
	if b := c.BoundedLoad; b != 0 && !(b >= 1 && b <= math.MaxUint32) {
		return fmt.Errorf("balance: BoundedLoad: %v: want at least 1, or 0 for no bound", b)
	}
	return nil
}

func (c Config) validStart() error {
	s := c.SlowStart
	switch {
	case s == nil:
		return nil
	case s.Window <= 0:
		return fmt.Errorf("balance: SlowStart.Window: %v: want a positive duration", s.Window)
	case !(s.MinPercent >= 0 && s.MinPercent <= 100):
		return fmt.Errorf("balance: SlowStart.MinPercent: %v: want 0 to 100", s.MinPercent)
	case !(s.Aggression >= 0) || math.IsInf(s.Aggression, 0):
		return fmt.Errorf("balance: SlowStart.Aggression: %v: want a positive number", s.Aggression)
	}
	return nil
}

// isPrime tries the divisors: a table is a few million entries at most.
func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return n > 1
}
