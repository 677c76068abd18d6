package traffic

import (
	"errors"
	"fmt"
)

// Causes of a [FieldError] and of lookups that a caller may want to tell apart, by [errors.Is].
var (
	// ErrUnknownSubset is the cause where a subset is named that the service's [Destination] does not have.
	ErrUnknownSubset = errors.New("traffic: unknown subset")
	// ErrNeverMatches is the cause where a route cannot match: an earlier one takes all its requests, or its conditions
	// contradict each other.
	ErrNeverMatches = errors.New("traffic: never matches")
)

// FieldError is one mistake in a policy.
type FieldError struct {
	// Path is the field: "Routes[3].Match[0].Path".
	Path string
	// Value is what it says. Nil: it is not said, or too long to show.
	Value any
	// Why says what is wrong with it.
	Why string
	// Cause is one of the errors above, or nil.
	Cause error
}

func (e *FieldError) Error() string {
	switch v := e.Value.(type) {
	case nil:
		return fmt.Sprintf("traffic: %s: %s", e.Path, e.Why)
	case string:
		return fmt.Sprintf("traffic: %s: %q: %s", e.Path, v, e.Why)
	default:
		return fmt.Sprintf("traffic: %s: %v: %s", e.Path, v, e.Why)
	}
}

// Unwrap is the cause.
func (e *FieldError) Unwrap() error { return e.Cause }
