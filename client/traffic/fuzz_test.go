package traffic

import (
	"reflect"
	"strings"
	"testing"
)

func seeds(f *testing.F) {
	f.Helper()
	for seed := range uint64(4) {
		d := newDice(seed)
		f.Add([]byte(d.routes(3).String()))
		var p Policy
		fill(d, reflect.ValueOf(&p).Elem(), 0)
		f.Add([]byte(p.String()))
	}
	f.Add([]byte(large(1).String()))
	for _, s := range []string{
		``, `{`, `{}`, `null`, `{"routes":[{"match":[{"path":{"regex":"((a{1,9}){1,9}){1,9}"}}]}]}`,
		`{"routes":[{"hosts":["*:80","[::1]:80","::1","a:0",":"]}]}`, `{"routes":[{"retry":{"on":[]},"timeout":"1h"}]}`,
		`{"routes":[{"rewrite":{"prefix":"","regex":"(.)","substitution":"\\1$"},"match":[{"path":{"pathPrefix":"//"}}]}]}`,
	} {
		f.Add([]byte(s))
	}
}

// What Parse accepts prints as what it reads as an equal policy.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data)
		if err != nil {
			return
		}
		text := p.String()
		q, err := Parse([]byte(text))
		if err != nil || !q.Equal(p) || q.String() != text {
			t.Fatalf("%v\n%s\n%s", err, text, q)
		}
	})
}

// What Compile accepts answers any request, as Explain says.
func FuzzCompile(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data)
		if err != nil {
			return
		}
		table, err := Compile(p, Local{Addr: "10.0.0.1", Labels: map[string]string{"app": "web"}})
		if err != nil {
			return
		}
		if err := p.Validate(); err != nil {
			t.Fatal("Compile accepts what Validate refuses: ", err)
		}
		d := newDice(uint64(len(data)))
		for n := range uint64(20) {
			q := d.request()
			for _, r := range p.Routes { // requests that the policy speaks of
				if d.in(2) && len(r.Hosts) > 0 {
					q.Service = strings.Replace(r.Hosts[0], "*", "x", 1)
				}
				if d.in(2) && len(r.Match) > 0 && r.Match[0].Path.Text != "" {
					q.Path = r.Match[0].Path.Text
				}
			}
			visit(t, table, q, n)
		}
	})
}

// visit asks the table all that can be asked for a request.
func visit(t *testing.T, table *Table, q *Request, n uint64) {
	rule, e := table.Match(q), table.Explain(q)
	_ = e.String()
	if _, err := e.MarshalJSON(); err != nil {
		t.Fatal(err)
	}
	if rule == nil {
		if e.Rule != "" {
			t.Fatalf("Explain says %s, Match nothing", e.Rule)
		}
		return
	}
	if e.Rule != rule.Name || e.Match != rule.matchName() {
		t.Fatalf("Explain says %s %s, Match %s %s", e.Rule, e.Match, rule.Name, rule.matchName())
	}
	rule.Location(q)
	if path := rule.RewritePath(q.Path); rule.Route.Rewrite != nil && path == "" {
		t.Fatal("an empty path")
	}
	for i := range rule.Faults {
		rule.Faults[i].Match(q)
	}
	if target := rule.Choose(q, n); target != nil && target.Backend.Respond == nil {
		_, _ = table.Settings(target.Service(q.Service), target.Backend.Subset)
	}
}
