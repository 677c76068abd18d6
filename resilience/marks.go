package resilience

import "errors"

// NotExecuted marks an error that a function given to [Do] returns: what it tried was certainly not done, so doing it
// again is safe even where it is not idempotent. Nil stays nil. [Do] takes the mark off before it returns.
func NotExecuted(err error) error { return mark(err, notExecuted) }

// Permanent marks an error that a function given to [Do] returns: trying again is of no use. It outweighs [NotExecuted].
// Nil stays nil. [Do] takes the mark off before it returns.
func Permanent(err error) error { return mark(err, permanent) }

type verdict uint8

const (
	notExecuted verdict = 1 << iota
	permanent
)

// marked is an error with a verdict. verdict 0 is a mark that was taken off in a place where the error could not be put
// back as it was: no mark beneath it counts any more.
type marked struct {
	err     error
	verdict verdict
}

func mark(err error, v verdict) error {
	if err == nil {
		return nil
	}
	return &marked{err: err, verdict: v}
}

func (m *marked) Error() string { return m.err.Error() }
func (m *marked) Unwrap() error { return m.err }

// verdicts are the marks of an error. Where several errors were joined, it is permanent if one of them is, and nothing
// can be said about what was not executed.
func verdicts(err error) verdict {
	switch e := err.(type) { //nolint:errorlint // this is the walk down the chain, one error at a time
	case *marked:
		if e.verdict == 0 {
			return 0
		}
		return e.verdict | verdicts(e.err)
	case interface{ Unwrap() []error }:
		var all verdict
		for _, one := range e.Unwrap() {
			all |= verdicts(one)
		}
		return all & permanent
	}
	if inner := errors.Unwrap(err); inner != nil {
		return verdicts(inner)
	}
	return 0
}

// unmark takes the marks off, so that a verdict about this call is not taken for one about the call that it was part of.
// An error that was marked last is returned as it was before; one that was wrapped after it had been marked keeps its
// text and its chain.
func unmark(err error) error {
	for {
		m, ok := err.(*marked) //nolint:errorlint // only what lies outermost can be taken off
		if !ok {
			break
		}
		err = m.err
	}
	if err != nil && verdicts(err) != 0 {
		return &marked{err: err}
	}
	return err
}
