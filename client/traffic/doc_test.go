package traffic_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery/balance"
)

// tour is the policy of the package's comment.
func tour() traffic.Policy {
	policy := traffic.Policy{
		Routes: []traffic.Route{{
			Name:  "testers",
			Hosts: []string{"orders"},
			Match: []traffic.Match{{Headers: []traffic.Field{{Name: "x-tester", Value: traffic.Present()}}}},
			To:    []traffic.Backend{{Subset: "v2"}},
		}, {
			Name:    "canary",
			Hosts:   []string{"orders"},
			To:      []traffic.Backend{{Subset: "v1", Weight: 90}, {Subset: "v2", Weight: 10}},
			Sticky:  &traffic.Key{Header: "x-user"},
			Timeout: 2 * time.Second,
			Faults:  []traffic.Fault{{Percent: 0.1, Delay: 500 * time.Millisecond}},
			Mirrors: []traffic.Mirror{{Service: "orders-next", Percent: 5}},
		}},
		Destinations: []traffic.Destination{{
			Service:  "orders",
			Settings: traffic.Settings{Balance: &traffic.Balance{Algorithm: balance.RoundRobin}},
			Subsets: []traffic.Subset{
				{Name: "v1", Labels: map[string]string{"version": "1"}},
				{Name: "v2", Labels: map[string]string{"version": "2"}},
			},
		}},
	}
	return policy
}

// The policy of the package's comment is the same in Go and in JSON, and it compiles.
func TestTour(t *testing.T) {
	comment, code := blocks(t, "doc.go"), source(t, "doc_test.go")
	if len(comment) != 2 || !strings.Contains(code, comment[0]) {
		t.Fatal("the Go of the comment is not that of tour")
	}
	p, err := traffic.Parse([]byte(comment[1]))
	if err != nil || !p.Equal(tour()) {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := traffic.Compile(p, traffic.Local{}); err != nil {
		t.Error(err)
	}
}

// blocks are the pieces of code in the comment of a file.
func blocks(t *testing.T, file string) (list []string) {
	in := false
	for line := range strings.Lines(source(t, file)) {
		code, ok := strings.CutPrefix(line, "//\t")
		if ok && !in {
			list = append(list, "")
		}
		if in = ok; ok {
			list[len(list)-1] += "\t" + code
		}
	}
	return list
}

func source(t *testing.T, file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
