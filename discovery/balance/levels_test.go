package balance

import (
	"slices"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/discovery"
)

// placedAt makes a node at each place, written region/zone/subzone, with labels behind it as name=value.
func placedAt(places ...string) []*Node {
	nodes := make([]*Node, len(places))
	for i, p := range places {
		words := strings.Fields(p)
		parts := append(strings.Split(words[0], "/"), "", "")
		e := discovery.Endpoint{Addr: ports(1000 + i)[0], Region: parts[0], Zone: parts[1], SubZone: parts[2]}
		for _, w := range words[1:] {
			name, value, _ := strings.Cut(w, "=")
			if e.Metadata == nil {
				e.Metadata = map[string]string{}
			}
			e.Metadata[name] = value
		}
		nodes[i] = NewNode(e)
	}
	return nodes
}

var home = Place{Region: "eu", Zone: "a", SubZone: "1"}

func TestLevels(t *testing.T) {
	nodes := placedAt("us/c", "eu/a/1", "eu/a/2", "eu/b/1", "ap/x", "eu/a/1", "eu")
	for name, tt := range map[string]struct {
		l    Locality
		from Place
		want [][]int32
	}{
		"near first":             {Locality{}, home, [][]int32{{1, 5}, {2}, {3, 6}, {0, 4}}},
		"no subzone of its own":  {Locality{}, Place{Region: "eu", Zone: "a"}, [][]int32{{1, 2, 5}, {3, 6}, {0, 4}}},
		"another region":         {Locality{}, Place{Region: "us", Zone: "z"}, [][]int32{{0}, {1, 2, 3, 4, 5, 6}}},
		"no place of its own":    {Locality{}, Place{}, [][]int32{{0, 1, 2, 3, 4, 5, 6}}},
		"failover":               {Locality{Failover: []Failover{{"us", "eu"}, {"eu", "ap"}}}, home, [][]int32{{1, 5}, {2}, {3, 6}, {4}, {0}}},
		"failover of others":     {Locality{Failover: []Failover{{"us", "eu"}}}, home, [][]int32{{1, 5}, {2}, {3, 6}, {0, 4}}},
		"distribute from others": {Locality{Distribute: []Distribute{{"us/*", map[string]uint32{"eu": 1}}}}, home, [][]int32{{0, 1, 2, 3, 4, 5, 6}}},
	} {
		t.Run(name, func(t *testing.T) {
			levels := tt.l.levels(tt.from, nodes)
			if len(levels) != len(tt.want) {
				t.Fatalf("%d levels, expected %v: %v", len(levels), tt.want, levels)
			}
			for i, l := range levels {
				if len(l.parts) != 1 || !slices.Equal(l.parts[0].ids, tt.want[i]) {
					t.Errorf("level %d: %v, expected %v", i, l.parts, tt.want[i])
				}
			}
		})
	}
}

func TestLevelsByLabels(t *testing.T) {
	nodes := placedAt(
		"eu/a network=n1 version=v1", "eu/a network=n1 version=v2", "eu/b network=n1 version=v1", "us/c network=n2", "eu/a",
	)
	from := Place{Region: "eu", Zone: "a", Labels: map[string]string{"network": "n1", "version": "v2"}}
	for name, tt := range map[string]struct {
		labels []string
		want   [][]int32
	}{
		"two":                      {[]string{"network", "version"}, [][]int32{{1}, {0, 2}, {3, 4}}},
		"given value":              {[]string{"network", "version=v1"}, [][]int32{{0, 2}, {1}, {3, 4}}},
		"topology":                 {[]string{"topology.kubernetes.io/region", "topology.kubernetes.io/zone"}, [][]int32{{0, 1, 4}, {2}, {3}}},
		"only a prefix counts":     {[]string{"unknown=x", "network"}, [][]int32{{0, 1, 2, 3, 4}}},
		"not there on either side": {[]string{"unknown"}, [][]int32{{0, 1, 2, 3, 4}}},
	} {
		t.Run(name, func(t *testing.T) {
			levels := Locality{FailoverPriority: tt.labels}.levels(from, nodes)
			if len(levels) != len(tt.want) {
				t.Fatalf("%d levels, expected %v: %v", len(levels), tt.want, levels)
			}
			for i, l := range levels {
				if !slices.Equal(l.parts[0].ids, tt.want[i]) {
					t.Errorf("level %d: %v, expected %v", i, l.parts[0].ids, tt.want[i])
				}
			}
		})
	}
}

func TestLevelsByDistribution(t *testing.T) {
	nodes := placedAt("eu/a/1", "eu/b", "us/c", "eu/a/2", "ap/x")
	l := Locality{Distribute: []Distribute{
		{"us/*", map[string]uint32{"us": 1}},
		{"eu/a", map[string]uint32{"eu/a/*": 80, "eu/b": 15, "us": 5, "sa/*": 7}},
		{"eu/*", map[string]uint32{"eu": 1}},
	}}
	levels := l.levels(home, nodes)
	if len(levels) != 1 || levels[0].size != 4 {
		t.Fatalf("got %+v", levels)
	}
	want := []part{{ids: []int32{0, 3}, weight: 80}, {ids: []int32{1}, weight: 15}, {ids: []int32{2}, weight: 5}}
	for i, p := range levels[0].parts {
		if !slices.Equal(p.ids, want[i].ids) || p.weight != want[i].weight {
			t.Errorf("part %d: %+v, expected %+v", i, p, want[i])
		}
	}
	if levels := l.levels(home, nodes[4:]); levels != nil {
		t.Errorf("nodes at no place of the rule: %+v", levels)
	}
}

func TestBadLocality(t *testing.T) {
	to := func(s string) map[string]uint32 { return map[string]uint32{s: 1} }
	for want, l := range map[string]Locality{
		"only one of": {Failover: []Failover{{"a", "b"}}, FailoverPriority: []string{"x"}},
		`Distribute[0].From: "": a part is empty`:               {Distribute: []Distribute{{"", to("a")}}},
		`Distribute[1].From: "a/b/c/d": want`:                   {Distribute: []Distribute{{"a", to("a")}, {"a/b/c/d", to("a")}}},
		`Distribute[0].From: "*/b": * stands only at the end`:   {Distribute: []Distribute{{"*/b", to("a")}}},
		`Distribute[0].From: "a/b*": * stands for a whole part`: {Distribute: []Distribute{{"a/b*", to("a")}}},
		`Distribute[0].To: is empty`:                            {Distribute: []Distribute{{"a", nil}}},
		`Distribute[0].To: "b//c": a part is empty`:             {Distribute: []Distribute{{"a", to("b//c")}}},
		`Distribute[0].To: "b": a share of 0`:                   {Distribute: []Distribute{{"a", map[string]uint32{"b": 0}}}},
		`Distribute[0].To: "b/c": overlaps`:                     {Distribute: []Distribute{{"a", map[string]uint32{"b/*": 1, "b/c": 1}}}},
		`Distribute[0].To: the shares are more than 4294967295`: {Distribute: []Distribute{{"a", map[string]uint32{"b": 1<<32 - 1, "c": 1}}}},
		`Failover[0].From: is empty`:                            {Failover: []Failover{{"", "b"}}},
		`Failover[0].To: "b/c": want a region alone`:            {Failover: []Failover{{"a", "b/c"}}},
		`Failover[0].To: "a" is where`:                          {Failover: []Failover{{"a", "a"}}},
		`Failover[1].From: "a" is listed twice`:                 {Failover: []Failover{{"a", "b"}, {"a", "c"}}},
		`FailoverPriority[1]: "=x" has no name`:                 {FailoverPriority: []string{"a", "=x"}},
		`FailoverPriority[1]: "a" is listed twice`:              {FailoverPriority: []string{"a", "a=1"}},
	} {
		if err := l.Validate(); err == nil || !strings.Contains(err.Error(), "balance: Locality") || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, expected %s", l, err, want)
		}
	}
	for _, l := range []Locality{{}, {Distribute: []Distribute{{"*", map[string]uint32{"a/*": 1, "b": 2}}}}, {FailoverPriority: []string{"a=b=c"}}} {
		if err := l.Validate(); err != nil {
			t.Errorf("%+v: %v", l, err)
		}
	}
}
