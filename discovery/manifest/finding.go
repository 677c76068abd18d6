package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Finding is one thing that is wrong with a manifest, or that its author should know.
type Finding struct { //nolint:errname // it may be a warning
	// File is the file, as it was found under the path that was given.
	File string
	// Line and Column are the place, counted from 1. 0: it is the file as a whole.
	Line, Column int
	// Object is "VirtualService/orders", with the namespace where it is not the default one: "VirtualService/shop/orders".
	// Empty: the finding is of no object.
	Object string
	// Field is where in the object: "spec.http[0].retries.attempts". Empty: the object as a whole.
	Field string
	// Severity says whether the manifests can be used.
	Severity Severity
	// Why says what is wrong.
	Why string
	// Suggestion is what was meant, perhaps: the right name of a field. Empty: none.
	Suggestion string
}

// Severity says whether a finding keeps manifests from being used.
type Severity uint8

// The severities.
const (
	Error   Severity = iota // the manifests are not used
	Warning                 // they are used, and something in them has no effect or not the one that was meant
)

// String is "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Error is the finding in one line:
//
//	mesh/orders.yaml:12: VirtualService/orders: spec.http[0].retries.attemps: unknown field, did you mean "attempts"?
func (f Finding) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	for _, part := range []string{f.Object, f.Field, f.Why} {
		if part != "" {
			b.WriteString(": ")
			b.WriteString(part)
		}
	}
	if f.Suggestion != "" {
		fmt.Fprintf(&b, ", did you mean %q?", f.Suggestion)
	}
	return strings.TrimPrefix(b.String(), ": ")
}

// Findings are what was found in manifests, in the order of files and lines.
type Findings []Finding

// Err joins the findings that are errors; nil where there are none. Each is a [Finding] to [errors.As].
func (f Findings) Err() error {
	var errs []error
	for _, x := range f {
		if x.Severity == Error {
			errs = append(errs, x)
		}
	}
	return errors.Join(errs...)
}

// Warnings are those that are warnings.
func (f Findings) Warnings() Findings {
	var list Findings
	for _, x := range f {
		if x.Severity == Warning {
			list = append(list, x)
		}
	}
	return list
}

// sort puts findings into the order of files and lines. What was found twice stands once.
func (f Findings) sort() Findings {
	slices.SortStableFunc(f, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Field, b.Field))
	})
	return slices.Compact(f)
}
