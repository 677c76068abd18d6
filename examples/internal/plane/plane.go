// Package plane lets an example take its policy from a folder of manifests in the place of its own.
package plane

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery/manifest"
)

// Main runs an example and does not return. Its flag is -mesh: a folder of manifests, or nothing where the example's own
// policy is to be used.
func Main(name string, run func(out io.Writer, mesh string) error) {
	mesh := flag.String("mesh", "", "folder of manifests to take the policy from; empty: the policy in the program")
	flag.Parse()
	if err := run(os.Stdout, *mesh); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Source says where calls go, and can be asked for all of it.
type Source interface {
	traffic.Source
	Policy() traffic.Policy
}

// Open is the policy of a folder, or, where there is none, the example's own. What it returns beside ends it.
func Open(mesh string, own traffic.Policy) (Source, func(), error) {
	if mesh == "" {
		live, err := traffic.NewLive(own)
		return live, func() {}, err
	}
	p, err := manifest.Open(mesh)
	if err != nil {
		return nil, nil, err
	}
	return p, func() { _ = p.Close() }, nil
}
