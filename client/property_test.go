package client_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
)

// What the property test is made of: few words, so that policies and requests meet often.
var (
	wordsHost    = []string{"orders", "users", "orders:8080"}
	wordsPattern = []string{"orders", "users", "*", "orders:8080", "orders:80", "ORDERS"}
	wordsPath    = []string{"/", "/a", "/a/b", "/a/b%2Fc", "/ab", "/b/a"}
	wordsHeader  = []string{"1", "2"}
	wordsSubset  = []string{"", "v1", "v2"}
)

// places are the endpoints of each service.
func places() discovery.Static {
	s := discovery.Static{}
	for i, service := range []string{"orders", "users", "orders:8080", "users:8080"} {
		for j, version := range []string{"v1", "v1", "v2"} {
			s[service] = append(s[service], discovery.Endpoint{Addr: fmt.Sprintf("%c%d:80", 'a'+i, j), Metadata: map[string]string{"version": version}})
		}
	}
	return s
}

// dice draws policies and requests.
type dice struct{ *rand.Rand }

func (d dice) of(words []string) string { return words[d.IntN(len(words))] }

func (d dice) policy() traffic.Policy {
	p := traffic.Policy{}
	for _, service := range []string{"orders", "users"} {
		p.Destinations = append(p.Destinations, traffic.Destination{Service: service, Subsets: []traffic.Subset{
			{Name: "v1", Labels: map[string]string{"version": "v1"}}, {Name: "v2", Labels: map[string]string{"version": "v2"}},
		}})
	}
	for i := range 1 + d.IntN(6) {
		p.Routes = append(p.Routes, d.route(fmt.Sprint("route ", i)))
	}
	return p
}

func (d dice) route(name string) traffic.Route {
	r := traffic.Route{Name: name, Hosts: []string{d.of(wordsPattern)}}
	for range d.IntN(3) {
		r.Match = append(r.Match, d.match())
	}
	switch d.IntN(6) {
	case 0:
		r.Redirect = &traffic.Redirect{Path: "/moved", Status: 302}
		return r
	case 1:
		r.Respond = &traffic.Response{Status: 418, Body: name}
		return r
	case 2: // to the service that was called
	default:
		for range 1 + d.IntN(3) {
			b := traffic.Backend{Service: d.of([]string{"", "orders", "users"}), Subset: d.of(wordsSubset), Weight: uint32(d.IntN(3))}
			if d.IntN(5) == 0 {
				b.Port = 8080
			}
			b.Headers.Request.Set = map[string]string{"x-to": fmt.Sprint(len(r.To))}
			r.To = append(r.To, b)
		}
	}
	if d.IntN(3) == 0 {
		r.Rewrite = &traffic.Rewrite{Path: "/new", Authority: d.of([]string{"", "else.example"})}
	}
	r.Headers.Request.Set = map[string]string{"x-route": name}
	return r
}

func (d dice) match() (m traffic.Match) {
	switch d.IntN(4) {
	case 0:
		m.Path = traffic.Exact(d.of(wordsPath))
	case 1:
		m.Path = traffic.Prefix(d.of(wordsPath))
	case 2:
		m.Path = traffic.PathPrefix(d.of(wordsPath))
	}
	switch d.IntN(4) {
	case 0:
		m.Headers = []traffic.Field{{Name: "X-User", Value: traffic.Exact(d.of(wordsHeader)), Not: d.IntN(3) == 0}}
	case 1:
		m.Headers = []traffic.Field{{Name: "x-user", Value: traffic.Present()}}
	}
	if d.IntN(4) == 0 {
		m.Method = traffic.Exact(d.of([]string{"GET", "POST"}))
	}
	if d.IntN(5) == 0 {
		m.Query = []traffic.Field{{Name: "q", Value: traffic.Exact(d.of(wordsHeader))}}
	}
	return m
}

func (d dice) request(t *testing.T) *http.Request {
	u := "http://" + d.of(wordsHost) + d.of(wordsPath)
	if d.IntN(2) == 0 {
		u += "?q=" + d.of(wordsHeader)
	}
	req := request(t, d.of([]string{"GET", "POST"}), u, nil)
	if d.IntN(2) == 0 {
		req.Header.Set("X-User", d.of(wordsHeader))
	}
	return req
}

// naive is what may become of a request, read off the policy as its comments say: answers, one of which must come.
func naive(p traffic.Policy, at discovery.Static, req *http.Request) (want []string) {
	for _, r := range p.Routes {
		if !slices.ContainsFunc(r.Hosts, func(h string) bool { return naiveHost(h, req.URL) }) ||
			len(r.Match) > 0 && !slices.ContainsFunc(r.Match, func(m traffic.Match) bool { return naiveMatch(m, req) }) {
			continue
		}
		switch {
		case r.Respond != nil:
			return []string{"418 " + r.Name}
		case r.Redirect != nil:
			q := ""
			if req.URL.RawQuery != "" {
				q = "?" + req.URL.RawQuery
			}
			return []string{"302 http://" + req.URL.Host + "/moved" + q}
		}
		host, path := req.URL.Host, req.URL.RequestURI()
		if r.Rewrite != nil {
			path = "/new" + strings.TrimPrefix(path, req.URL.EscapedPath())
			if r.Rewrite.Authority != "" {
				host = r.Rewrite.Authority
			}
		}
		if len(r.To) == 0 {
			return naiveAnswers(at[req.URL.Host], "", host, path, r.Name, "")
		}
		for i, b := range r.To {
			if len(r.To) > 1 && b.Weight == 0 {
				continue
			}
			service, port, _ := strings.Cut(req.URL.Host, ":")
			if b.Service != "" {
				service = b.Service
			}
			if b.Port != 0 {
				port = fmt.Sprint(b.Port)
			}
			if port != "" {
				service += ":" + port
			}
			want = append(want, naiveAnswers(at[service], b.Subset, host, path, r.Name, fmt.Sprint(i))...)
		}
		return want
	}
	return naiveAnswers(at[req.URL.Host], "", req.URL.Host, req.URL.RequestURI(), "", "")
}

func naiveAnswers(eps []discovery.Endpoint, version, host, path, route, to string) (want []string) {
	for _, e := range eps {
		if version == "" || e.Metadata["version"] == version {
			want = append(want, fmt.Sprintf("200 %s %s %s %q %q", e.Addr, host, path, route, to))
		}
	}
	return want
}

func naiveHost(pattern string, u *url.URL) bool {
	name, port, ported := strings.Cut(strings.ToLower(pattern), ":")
	asked := u.Port()
	if asked == "" {
		asked = "80"
	}
	return (name == "*" || name == u.Hostname()) && (!ported || port == asked)
}

func naiveMatch(m traffic.Match, req *http.Request) bool {
	path := req.URL.EscapedPath()
	switch text := m.Path.Text; m.Path.Op {
	case traffic.OpExact:
		if path != text {
			return false
		}
	case traffic.OpPrefix:
		if !strings.HasPrefix(path, text) {
			return false
		}
	case traffic.OpPathPrefix:
		text = strings.TrimSuffix(text, "/")
		if path != text && !strings.HasPrefix(path, text+"/") {
			return false
		}
	}
	for _, f := range m.Headers {
		got := req.Header.Get(f.Name)
		holds := got != "" && (f.Value.Op == traffic.OpPresent || got == f.Value.Text)
		if holds == f.Not {
			return false
		}
	}
	for _, f := range m.Query {
		if req.URL.Query().Get(f.Name) != f.Value.Text {
			return false
		}
	}
	return m.Method.Text == "" || m.Method.Text == req.Method
}

// TestPolicyIsWhatHappens: over random policies, put in force one after the other while the client runs, every request
// ends where the policy, naively read, has it end.
func TestPolicyIsWhatHappens(t *testing.T) {
	const policies, requests = 300, 25
	at := places()
	m := &mesh{t: t}
	for _, eps := range at {
		for _, e := range eps {
			m.serve(e.Addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, "%s %s %s %q %q", e.Addr, r.Host, r.URL.RequestURI(), r.Header.Get("X-Route"), r.Header.Get("X-To"))
			}))
		}
	}
	live, err := traffic.NewLive(traffic.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	m.c = newClient(t, client.Config{Discovery: at, Traffic: live, Dial: m.dial})
	m.rt = m.c.Transport(nil)
	d := dice{rand.New(rand.NewPCG(5, 5))}
	kinds := map[string]int{}
	for done := 0; done < policies; {
		p := d.policy()
		_, changed := m.c.Core().Policy()
		if live.Set(p) != nil {
			continue // a route that can never match, or nothing but weights of 0
		}
		<-changed
		done++
		for range requests {
			req := d.request(t)
			want := naive(p, at, req)
			resp, err := m.rt.RoundTrip(req)
			got := text(t, resp, err)
			if resp.StatusCode == http.StatusFound {
				got = resp.Header.Get("Location")
			}
			if got = fmt.Sprint(resp.StatusCode, " ", got); !slices.Contains(want, got) {
				t.Fatalf("%s %s %v: got %s, want one of\n%s\nunder %v", req.Method, req.URL, req.Header, got, strings.Join(want, "\n"), p)
			}
			switch kind := got[:3]; {
			case kind == "200" && strings.HasSuffix(got, `"" ""`):
				kinds["unmatched"]++
			case len(want) > 3:
				kinds[kind+", several destinations"]++
			default:
				kinds[kind]++
			}
		}
	}
	t.Log(kinds)
	for _, kind := range []string{"200", "200, several destinations", "302", "418", "unmatched"} {
		if kinds[kind] < policies*requests/50 {
			t.Errorf("poor coverage: %v", kinds)
		}
	}
}
