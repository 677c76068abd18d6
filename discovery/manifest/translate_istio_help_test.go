package manifest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
)

// vs and dr are resources of Istio with a spec in the flow style.
func vs(name, spec string) string { return istioText("VirtualService", name, spec) }
func dr(name, spec string) string { return istioText("DestinationRule", name, spec) }

// istioText is a resource; a name may have its namespace in front, "shop/orders", and its age behind: "orders@2024".
func istioText(kind, name, spec string) string {
	name, year, aged := strings.Cut(name, "@")
	meta := "name: " + name
	if namespace, rest, ok := strings.Cut(name, "/"); ok {
		meta = "name: " + rest + ", namespace: " + namespace
	}
	if aged {
		meta += ", creationTimestamp: \"" + year + "-01-01T00:00:00Z\""
	}
	return "---\napiVersion: networking.istio.io/v1\nkind: " + kind + "\nmetadata: {" + meta + "}\nspec: " + spec + "\n"
}

// to is a route to a service, "orders:v1" with a subset.
func to(services ...string) string {
	var list []string
	for _, s := range services {
		host, subset, ok := strings.Cut(s, ":")
		if ok {
			host += ", subset: " + subset
		}
		list = append(list, "{destination: {host: "+host+"}, weight: 50}")
	}
	return "route: [" + strings.Join(list, ", ") + "]"
}

// asked is a request in one line: "GET http://orders:80/x?y a: b" with headers behind two spaces.
func asked(t *testing.T, line string) *traffic.Request {
	t.Helper()
	parts := strings.Split(line, "  ")
	r, err := http.NewRequest(strings.Fields(parts[0])[0], strings.Fields(parts[0])[1], http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	for _, h := range parts[1:] {
		name, value, _ := strings.Cut(h, ":")
		header.Add(name, strings.TrimSpace(value))
	}
	return &traffic.Request{
		Scheme: r.URL.Scheme, Service: r.URL.Host, Authority: r.URL.Host, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery,
		Method: r.Method, Header: lookup(header), Addr: "10.0.0.1",
	}
}

type lookup http.Header

func (l lookup) Lookup(_, canonical string) (string, bool) {
	if v := l[canonical]; len(v) > 0 {
		return v[0], true
	}
	return "", false
}

// goes is what becomes of a request, in a word: "orders/v1 /path" for a service, "404" for an answer, "301 http://..." for a
// redirection, "-" where no route matches. Several destinations stand with their weights.
func goes(table *traffic.Table, q *traffic.Request) string {
	r := table.Match(q)
	switch {
	case r == nil:
		return "-"
	case r.Route.Respond != nil:
		return strings.TrimSpace(strconv.Itoa(r.Route.Respond.Status) + " " + r.Route.Respond.Body)
	case r.Route.Redirect != nil:
		status, location := r.Location(q)
		return fmt.Sprint(status, " ", location)
	}
	var list []string
	for _, target := range r.Targets {
		name := target.Service(q.Service)
		if s := target.Backend.Subset; s != "" {
			name += "/" + s
		}
		if len(r.Targets) > 1 {
			name += "=" + strconv.Itoa(int(target.Backend.Weight))
		}
		list = append(list, name)
	}
	if len(r.Targets) == 0 {
		list = []string{"called"}
	}
	text := strings.Join(list, " ")
	if path := r.RewritePath(q.Path); path != q.Path {
		text += " " + path
	}
	if w := r.Route.Rewrite; w != nil && w.Authority != "" {
		text += " as " + w.Authority
	}
	return text
}

// compiled is the table that manifests make, which must have no errors.
func compiled(t *testing.T, cfg Config, local traffic.Local, text string) (*traffic.Table, *State) {
	t.Helper()
	s, found := Parse(cfg, map[string]string{"a.yaml": text})
	if s == nil {
		t.Fatal(found.Err())
	}
	local.Addr = "10.0.0.1"
	table, err := traffic.Compile(s.Policy, local)
	if err != nil {
		t.Fatal(err)
	}
	return table, s
}
