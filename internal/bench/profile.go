package main

import (
	"context"
	"io"
	"os"
	"runtime/pprof"
)

// profile writes a CPU profile to a file until stop is called; without a name it does nothing.
func profile(name string) (stop func() error, err error) {
	if name == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(name) //nolint:gosec // the name is the user's own
	if err != nil {
		return nil, err
	}
	return func() error { return stopProfile(f) }, pprof.StartCPUProfile(f)
}

func stopProfile(f io.Closer) error {
	pprof.StopCPUProfile()
	return f.Close()
}

// labelled runs f so that what it does, and what the goroutines do that it starts, can be told apart in a profile:
// go tool pprof -tagfocus=intramesh. Servers and connections are started while an implementation is opened, so they
// carry its label too.
func labelled(implementation string, f func() error) (err error) {
	pprof.Do(context.Background(), pprof.Labels("implementation", implementation), func(context.Context) { err = f() })
	return err
}
