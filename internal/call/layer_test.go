package call

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// note is a layer that writes down what it sees.
type note struct {
	name   string
	refuse error
}

func (n note) Begin(log *[]string) error {
	*log = append(*log, "+"+n.name)
	return n.refuse
}

func (n note) End(log *[]string) { *log = append(*log, "-"+n.name) }

func TestChainOrder(t *testing.T) {
	no := errors.New("no")
	for _, tt := range []struct {
		name  string
		chain Chain[*[]string]
		want  string
		err   error
	}{
		{"empty", nil, "", nil},
		{"all pass", Chain[*[]string]{note{"a", nil}, note{"b", nil}, note{"c", nil}}, "+a +b +c -c -b -a", nil},
		{"the first refuses", Chain[*[]string]{note{"a", no}, note{"b", nil}}, "+a", no},
		{"the second refuses", Chain[*[]string]{note{"a", nil}, note{"b", no}, note{"c", nil}}, "+a +b -a", no},
		{"the last refuses", Chain[*[]string]{note{"a", nil}, note{"b", nil}, note{"c", no}}, "+a +b +c -b -a", no},
	} {
		var log []string
		err := tt.chain.Begin(&log)
		if err == nil {
			tt.chain.End(&log)
		}
		if got := strings.Join(log, " "); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %s, %v; want %s, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}

func TestChainDoesNotAllocate(t *testing.T) {
	chain := Chain[*[]string]{note{"a", nil}, note{"b", nil}}
	log := make([]string, 0, 8)
	if n := testing.AllocsPerRun(100, func() {
		log = log[:0]
		if chain.Begin(&log) == nil {
			chain.End(&log)
		}
	}); n > 4 { // the four names that the test's layers put together
		t.Errorf("%v allocations", n)
	}
}

func TestInbound(t *testing.T) {
	ctx := context.Background()
	if InboundFrom(ctx) != nil {
		t.Error("something of nothing")
	}
	if in := InboundFrom(WithInbound(ctx, &Inbound{Attempt: 2})); in == nil || in.Attempt != 2 {
		t.Errorf("%+v", in)
	}
}
