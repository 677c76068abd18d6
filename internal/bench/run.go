package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
)

// op makes one call and checks its answer.
type op func() error

// rig is an implementation that is up and connected. Each of its ops has one caller.
type rig struct {
	ops    []op
	closes []func()
}

func (r *rig) onClose(f func()) { r.closes = append(r.closes, f) }

func (r *rig) close() {
	for _, f := range slices.Backward(r.closes) {
		f()
	}
}

// setup says what an implementation is made with.
type setup struct {
	pki       *pki
	callers   int
	endpoints int
	traffic   traffic.Source // of the mesh; nil: no routes
}

type benchmark struct {
	name            string
	implementations []implementation
}

var benchmarks = []benchmark{
	{"grpc-unary", grpcImplementations(unaryOp)},
	{"grpc-stream", grpcImplementations(streamOp)},
	{"http1", httpImplementations(false)},
	{"http2", httpImplementations(true)},
}

func run(o options, w io.Writer) error {
	keys, err := newPKI()
	if err != nil {
		return err
	}
	ran := o.cases.MatchString("pick")
	if ran {
		picks(w)
	}
	for _, b := range benchmarks {
		if !o.cases.MatchString(b.name) {
			continue
		}
		ran = true
		for _, c := range o.concurrency {
			if err := b.run(o, setup{pki: keys, callers: c, endpoints: o.endpoints}, w); err != nil {
				return fmt.Errorf("%s c=%d: %w", b.name, c, err)
			}
		}
	}
	if !ran {
		return errors.New("no case matches")
	}
	return nil
}

func (b benchmark) run(o options, s setup, w io.Writer) error {
	rigs := make([]*rig, len(b.implementations))
	for i, impl := range b.implementations {
		rigs[i] = new(rig)
		defer rigs[i].close()
		if err := labelled(impl.name, func() error { return impl.open(s, rigs[i]) }); err != nil {
			return fmt.Errorf("%s: %w", impl.name, err)
		}
	}
	samples, err := b.takeTurns(rigs, o)
	if err != nil {
		return err
	}
	for i, impl := range b.implementations {
		head := fmt.Sprintf("%s c=%d %s", b.name, s.callers, impl.name)
		if i == atPlain {
			fmt.Fprintln(w, head, absolute(samples[i]))
		} else {
			fmt.Fprintln(w, head, relative(samples[i], samples[atPlain], samples[atTuned]))
		}
	}
	return nil
}

// takeTurns measures round by round. Who begins changes from round to round, so that nobody always follows the same one.
func (b benchmark) takeTurns(rigs []*rig, o options) ([][]sample, error) {
	turn := o.total / time.Duration(o.rounds*len(rigs))
	samples := make([][]sample, len(rigs))
	m := newMeter(len(rigs[0].ops))
	for round := range o.rounds + 1 {
		for i := range rigs {
			who := (i + round) % len(rigs)
			var got sample
			err := labelled(b.implementations[who].name, func() (err error) {
				got, err = m.measure(rigs[who].ops, turn)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b.implementations[who].name, err)
			}
			if round > 0 { // the first round makes connections and fills pools
				samples[who] = append(samples[who], got)
			}
		}
	}
	return samples, nil
}
