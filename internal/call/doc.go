// Package call holds the facts of a call: what is asked, of whom, until when, and how each attempt ended.
//
// One logical call has one or more attempts. Both are named things here, so that every part of the mesh talks of the
// same call: retries, budgets, balancing, circuits and telemetry all read one [Outcome] and one [Classify].
//
// The package imports the standard library only and knows neither HTTP's nor gRPC's types, so that every other package
// may import it.
package call
