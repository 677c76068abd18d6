package traffic

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/intramesh/intramesh/resilience"
)

func route(r Route) Policy       { return Policy{Routes: []Route{r}} }
func matching(m ...Match) Policy { return route(Route{Match: m}) }
func treated(s Settings) Policy {
	return Policy{Destinations: []Destination{{Service: "a", Settings: s}}}
}
func headers(h HeaderOps) Policy    { return route(Route{Headers: Headers{Request: h}}) }
func withHeaders(f ...Field) Policy { return matching(Match{Headers: f}) }
func withFault(f Fault) Policy      { return route(Route{Faults: []Fault{f}}) }
func near(l Locality) Policy        { return treated(Settings{Locality: &l}) }
func by(b Balance) Policy           { return treated(Settings{Balance: &b}) }

// Every mistake is found, and told by the path of its field.
func TestMistakes(t *testing.T) {
	to := func(b ...Backend) Policy { return route(Route{Hosts: []string{"a"}, To: b}) }
	sticky := func(k Key) Policy { return route(Route{To: []Backend{{}}, Sticky: &k}) }
	retry := func(r resilience.Retry) Policy { return route(Route{Retry: &r}) }
	rewrite := func(w Rewrite, m ...Match) Policy { return route(Route{Rewrite: &w, Match: m}) }
	redirect := func(d Redirect, m ...Match) Policy { return route(Route{Redirect: &d, Match: m}) }
	for want, p := range map[string]Policy{
		// What a route is for.
		`Routes[1].Name: "x": Routes[0] has it`:            {Routes: []Route{{Name: "x", Hosts: []string{"a"}}, {Name: "x"}}},
		`Routes[1].Name: "routes[1]": Routes[0] has it`:    {Routes: []Route{{Name: "routes[1]", Hosts: []string{"a"}}, {}}},
		`Routes[0].Hosts[0]: must not be empty`:            route(Route{Hosts: []string{""}}),
		`Routes[0].Hosts[0]: "http://a": not the name`:     route(Route{Hosts: []string{"http://a"}}),
		`Routes[0].Hosts[0]: "a:99999": not the name`:      route(Route{Hosts: []string{"a:99999"}}),
		`Routes[0].Hosts[0]: "a.*": "*" must stand`:        route(Route{Hosts: []string{"a.*"}}),
		`Routes[0].Hosts[0]: "*a": "*" must stand`:         route(Route{Hosts: []string{"*a"}}),
		`Routes[0].Hosts[0]: "*.": "*" must stand`:         route(Route{Hosts: []string{"*."}}),
		`Routes[0].Hosts[1]: "A:80": Hosts[0] is the same`: route(Route{Hosts: []string{"a:80", "A:80"}}),

		// Conditions.
		`Match[0].Path: regex "(": missing closing )`:                      matching(Match{Path: Regex("(")}),
		`Match[0].Path: regex "a)(b": unexpected )`:                        matching(Match{Path: Regex("a)(b")}),
		`": longer than 4 KiB`:                                             matching(Match{Path: Regex(strings.Repeat("a", 4097))}),
		`needs more than 10,000 instructions`:                              matching(Match{Path: Regex(strings.Repeat("(?:a{1,4}){1,250}", 11))}),
		`regex "a{1001}": invalid repeat count`:                            matching(Match{Path: Regex("a{1001}")}),
		`Match[0].Path: about "x": there is no such`:                       matching(Match{Path: Value{Op: "about", Text: "x"}}),
		`Match[0].Path: present: only a header`:                            matching(Match{Path: Present()}),
		`Match[0].Path: any: must have no text`:                            matching(Match{Path: Value{Text: "x"}}),
		`Match[0].Path: regex "/a" ignoring case: a regex ignores`:         matching(Match{Path: Value{Op: OpRegex, Text: "/a", IgnoreCase: true}}),
		`Match[0].Path: prefix "": must have a text`:                       matching(Match{Path: Prefix("")}),
		`Match[0].Path: exact "": a path begins`:                           matching(Match{Path: Exact("")}),
		`Match[0].Path: prefix "v1": a path begins`:                        matching(Match{Path: Prefix("v1")}),
		`Match[0].Path: exact "/a?b": a path has no query`:                 matching(Match{Path: Exact("/a?b")}),
		`Match[0].Authority: pathPrefix "a": only a path`:                  matching(Match{Authority: PathPrefix("a")}),
		`Match[0].Scheme: exact "grpc": must be http`:                      matching(Match{Scheme: Exact("grpc")}),
		`Match[0].Scheme: exact "http": a gRPC call has no`:                matching(Match{Scheme: Exact("http"), GRPC: &GRPCMatch{}}),
		`Match[0].Method: exact "get": methods are told`:                   matching(Match{Method: Exact("get")}),
		`Match[0].Method: exact "G T": not an HTTP method`:                 matching(Match{Method: Exact("G T")}),
		`Match[0].Method: exact "GET": gRPC calls are POST`:                matching(Match{Method: Exact("GET"), GRPC: &GRPCMatch{}}),
		`Match[0].GRPC.Service: exact "/a": must not have "/"`:             matching(Match{GRPC: &GRPCMatch{Service: Exact("/a")}}),
		`Match[0].GRPC.Method: regex "(": missing`:                         matching(Match{GRPC: &GRPCMatch{Method: Regex("(")}}),
		`Match[0].Port: 80: none of the route's Hosts`:                     route(Route{Hosts: []string{"a:81"}, Match: []Match{{Port: 80}}}),
		`Match[0].Query[0]: "q": a gRPC call has no query`:                 matching(Match{GRPC: &GRPCMatch{}, Query: []Field{{Name: "q", Value: Present()}}}),
		`Match[0].Query[0].Name: must not be empty`:                        matching(Match{Query: []Field{{Value: Present()}}}),
		`Match[0].Source: the name of a label`:                             matching(Match{Source: map[string]string{"": "x"}}),
		`Match[0].Headers[0].Name: must not be empty`:                      withHeaders(Field{Value: Present()}),
		`Match[0].Headers[0].Name: "Host": not among the h`:                withHeaders(Field{Name: "Host", Value: Exact("orders")}),
		`Match[0].Headers[0].Name: ":path": not a header: Match has`:       withHeaders(Field{Name: ":path", Value: Present()}),
		`Match[0].Headers[0].Name: "a b": not the name of a`:               withHeaders(Field{Name: "a b", Value: Present()}),
		`Match[0].Headers[0].Value: must say something`:                    withHeaders(Field{Name: "a"}),
		`Match[0].Headers[0].Value: pathPrefix "/": only a path`:           withHeaders(Field{Name: "a", Value: PathPrefix("/")}),
		`Match[0].Headers[1]: absent: contradicts Headers[0], present`:     withHeaders(Field{Name: "a", Value: Present()}, Field{Name: "A", Value: Absent()}),
		`Match[0].Headers[1]: exact "y": contradicts Headers[0], exact "x`: withHeaders(Field{Name: "a", Value: Exact("x")}, Field{Name: "a", Value: Exact("y")}),
		`Match[0].Headers[1]: exact "x": contradicts Headers[0], not exact`: withHeaders(
			Field{Name: "a", Value: Exact("x"), Not: true}, Field{Name: "a", Value: Exact("x")}),
		`Match[0].Headers[1]: exact "x": contradicts Headers[0], regex`: withHeaders(
			Field{Name: "a", Value: Regex("y+")}, Field{Name: "a", Value: Exact("x")}),
		`Match[0].Headers[1]: prefix "x": contradicts Headers[0], not present`: withHeaders(
			Field{Name: "a", Value: Present(), Not: true}, Field{Name: "a", Value: Prefix("x")}),

		// Actions.
		`Routes[0]: more than one of To`:                           route(Route{To: []Backend{{}}, Redirect: &Redirect{Host: "b"}}),
		`Routes[0].To: no backend has a weight`:                    to(Backend{Service: "x"}, Backend{Service: "y"}),
		`Routes[0].To[1]: goes where To[0] does`:                   to(Backend{Service: "x", Weight: 1}, Backend{Service: "x", Weight: 2}),
		`Routes[0].To[0].Service: "x:80": must not have a port`:    to(Backend{Service: "x:80"}),
		`Routes[0].To[0].Service: "*.x": must be one service`:      to(Backend{Service: "*.x"}),
		`Routes[0].To[0].Subset: "v1": no destination for a decl`:  to(Backend{Subset: "v1"}),
		`Routes[0].To[0].Subset: "v1": no destination for b:8 dec`: to(Backend{Service: "b", Port: 8, Subset: "v1"}),
		`Routes[0].To[0]: Respond stands in the place`:             to(Backend{Service: "b", Respond: &Response{Status: 500}}),
		`Routes[0].To[0].Headers.Request: has no effect`:           to(Backend{Respond: &Response{Status: 500}, Headers: Headers{Request: HeaderOps{Remove: []string{"a"}}}}),
		`Routes[0].To[0].Respond.Status: 99: must be 200`:          to(Backend{Respond: &Response{Status: 99}}),
		`Routes[0].Sticky: there is nothing to choose`:             route(Route{Sticky: &Key{Context: true}}),
		`Routes[0].Sticky: must have exactly one`:                  sticky(Key{}),
		`Routes[0].Sticky: must have exactly one of`:               sticky(Key{Context: true, Query: "a"}),
		`Routes[0].Sticky.Header: "a:": not the name`:              sticky(Key{Header: "a:"}),
		`Routes[0].Sticky.Cookie.Name: "a=": not the name`:         sticky(Key{Cookie: &Cookie{Name: "a="}}),
		`Routes[0].Sticky.Cookie.Path: "a": must be a path`:        sticky(Key{Cookie: &Cookie{Name: "a", Path: "a"}}),
		`Routes[0].Sticky.Cookie.TTL: 8760h0m1s: must be at most`:  sticky(Key{Cookie: &Cookie{Name: "a", TTL: maxDuration + time.Second}}),
		`Routes[0].Sticky.Source: needs Local.Addr`:                sticky(Key{Source: true}),
		`Routes[0].Redirect: changes nothing`:                      redirect(Redirect{Status: 302}),
		`Routes[0].Redirect.Status: 300: must be`:                  redirect(Redirect{Host: "b", Status: 300}),
		`Routes[0].Redirect.Scheme: "ftp": must`:                   redirect(Redirect{Scheme: "ftp"}),
		`Routes[0].Redirect.Host: "b:80": not a host`:              redirect(Redirect{Host: "b:80"}),
		`Routes[0].Redirect.Path: "b": must begin`:                 redirect(Redirect{Path: "b"}),
		`Routes[0].Redirect.Prefix: "/b": needs a Match`:           redirect(Redirect{Prefix: new("/b")}),
		`Routes[0].Redirect.Prefix: "/b": more than one`:           redirect(Redirect{Prefix: new("/b"), Path: "/c"}, Match{Path: Prefix("/x")}),
		`Routes[0].Rewrite: has no effect where`:                   route(Route{Redirect: &Redirect{Host: "b"}, Rewrite: &Rewrite{Path: "/"}}),
		`Routes[0].Timeout: has no effect where`:                   route(Route{Respond: &Response{Status: 200}, Timeout: 1}),
		`Routes[0].Headers.Request: has no effect where`:           route(Route{Respond: &Response{Status: 200}, Headers: Headers{Request: HeaderOps{Remove: []string{"a"}}}}),
		`Routes[0].Faults: has no effect where`:                    route(Route{Redirect: &Redirect{Host: "b"}, Faults: []Fault{{Percent: 1, Delay: 1}}}),
		`Routes[0].Mirrors: has no effect where`:                   route(Route{Respond: &Response{Status: 200}, Mirrors: []Mirror{{Service: "b"}}}),
		`Routes[0].Respond.Status: 600: must be 200`:               route(Route{Respond: &Response{Status: 600}}),
		`Routes[0].Respond.Body: an answer of 204 has none`:        route(Route{Respond: &Response{Status: 204, Body: "x"}}),
		`Routes[0].Respond.Body: must be at most 1 MiB`:            route(Route{Respond: &Response{Status: 200, Body: strings.Repeat("x", 1<<20+1)}}),
		`Routes[0].Respond.ContentType: "a b": not a media`:        route(Route{Respond: &Response{Status: 200, ContentType: "a b"}}),
		`Routes[0].Rewrite: changes nothing`:                       rewrite(Rewrite{}),
		`Routes[0].Rewrite: more than one of Path`:                 rewrite(Rewrite{Path: "/a", Regex: "a"}),
		`Routes[0].Rewrite.Path: "a": must begin`:                  rewrite(Rewrite{Path: "a"}),
		`Routes[0].Rewrite.Path: "/a?b": must be a path`:           rewrite(Rewrite{Path: "/a?b"}),
		`Routes[0].Rewrite.Path: "/ü": must be a path as`:          rewrite(Rewrite{Path: "/ü"}),
		`Routes[0].Rewrite.Authority: "a b": not a host`:           rewrite(Rewrite{Authority: "a b"}),
		`Routes[0].Rewrite.Prefix: "/a": needs a Path that`:        rewrite(Rewrite{Prefix: new("/a")}, Match{Path: Prefix("/b")}, Match{Path: Regex("/x")}),
		`Routes[0].Rewrite.Regex: "(": missing`:                    rewrite(Rewrite{Regex: "("}),
		`Routes[0].Rewrite.Substitution: "x": needs Regex`:         rewrite(Rewrite{Path: "/a", Substitution: "x"}),
		`Routes[0].Rewrite.Substitution: "\\1": the expression`:    rewrite(Rewrite{Regex: "a", Substitution: `\1`}),
		`Routes[0].Rewrite.Substitution: "\\": ends in`:            rewrite(Rewrite{Regex: "a", Substitution: `\`}),
		`Routes[0].Rewrite.Substitution: "/b?c": must be of`:       rewrite(Rewrite{Regex: "a", Substitution: "/b?c"}),
		`Routes[0].Rewrite.Substitution: "\\x": \ must`:            rewrite(Rewrite{Regex: "a", Substitution: `\x`}),
		`Routes[0].Timeout: 8760h0m1s: must be at most`:            route(Route{Timeout: maxDuration + time.Second}),
		`Routes[0].NoRetry: contradicts Retry`:                     route(Route{Retry: &resilience.Retry{}, NoRetry: true}),
		`Routes[0].Retry.Retries: 11: must be`:                     retry(resilience.Retry{Retries: 11}),
		`Routes[0].Retry.On: [what]: `:                             retry(resilience.Retry{On: []string{"what"}}),

		// Headers.
		`Headers.Request.Set["Host"]: "Host": Rewrite.Authority`:    headers(HeaderOps{Set: map[string]string{"Host": "a"}}),
		`Headers.Request.Set["a b"]: "a b": not the name`:           headers(HeaderOps{Set: map[string]string{"a b": "a"}}),
		`Headers.Request.Set["a"]: "x\ny": must be of ASCII`:        headers(HeaderOps{Set: map[string]string{"a": "x\ny"}}),
		`Headers.Request.Set["a"]: there is A, too`:                 headers(HeaderOps{Set: map[string]string{"a": "x", "A": "y"}}),
		`Headers.Request.Add["traceparent"]: "traceparent": the me`: headers(HeaderOps{Add: map[string]string{"traceparent": "a"}}),
		`Headers.Request.Remove[0]: ":path": not a header: Rewrite`: headers(HeaderOps{Remove: []string{":path"}}),
		`Headers.Request.Remove[0]: "Grpc-Status": the protocol's`:  headers(HeaderOps{Remove: []string{"Grpc-Status"}}),
		`Headers.Response.Remove[0]: "Content-Length": the prot`:    route(Route{Headers: Headers{Response: HeaderOps{Remove: []string{"Content-Length"}}}}),

		// Faults and mirrors.
		`Faults[0]: must have exactly one of Delay`:                      withFault(Fault{Percent: 1}),
		`Faults[0].Percent: NaN: must be 0 to 100`:                       withFault(Fault{Percent: math.NaN(), Delay: 1}),
		`Faults[0].Percent: 100.5: must be 0 to 100`:                     withFault(Fault{Percent: 100.5, Delay: 1}),
		`Faults[0].Percent: -1: must be 0 to 100`:                        withFault(Fault{Percent: -1, Delay: 1}),
		`Faults[0].Delay: -1s: must not be negative`:                     withFault(Fault{Delay: -time.Second}),
		`Faults[0].Delay: 2562047h47m16.854775807s: must be at most`:     withFault(Fault{Delay: math.MaxInt64}),
		`Faults[0].Scope: "all": must be`:                                withFault(Fault{Delay: 1, Scope: "all"}),
		`Faults[0].Scope: "call": a spoilt body`:                         withFault(Fault{Body: &BodyFault{Corrupt: 1}, Scope: ScopeCall}),
		`Faults[0].Abort: must have exactly one`:                         withFault(Fault{Abort: &Abort{}}),
		`Faults[0].Abort.Status: 700: must be`:                           withFault(Fault{Abort: &Abort{Status: 700}}),
		`Faults[0].Abort.Code: "OK": must be`:                            withFault(Fault{Abort: &Abort{Code: "OK"}}),
		`Faults[0].Body: must have exactly one`:                          withFault(Fault{Body: &BodyFault{}}),
		`Faults[0].Body.Corrupt: 1.1: must be`:                           withFault(Fault{Body: &BodyFault{Corrupt: 1.1}}),
		`Faults[0].Body.TruncateAfter: -1: must not`:                     withFault(Fault{Body: &BodyFault{TruncateAfter: new(int64(-1))}}),
		`Faults[0].Body.BytesPerSecond: -1: must not`:                    withFault(Fault{Body: &BodyFault{BytesPerSecond: -1}}),
		`Faults[0].Match[0].Path: prefix "x": a path`:                    withFault(Fault{Delay: 1, Match: []Match{{Path: Prefix("x")}}}),
		`Mirrors[0].Percent: +Inf: must be`:                              route(Route{Mirrors: []Mirror{{Service: "b", Percent: math.Inf(1)}}}),
		`Mirrors[0].Subset: "v1": no destination for b dec`:              route(Route{Mirrors: []Mirror{{Service: "b", Subset: "v1"}}}),
		`Mirrors[0].Subset: "v1": no destination for * dec`:              route(Route{Mirrors: []Mirror{{Subset: "v1"}}}),
		`MirrorLimits.Calls: -1: must`:                                   {MirrorLimits: MirrorLimits{Calls: -1}},
		`MirrorLimits.Timeout: -1ns: must`:                               {MirrorLimits: MirrorLimits{Timeout: -1}},
		`Destinations[0].Service: must not be empty`:                     {Destinations: []Destination{{}}},
		`Destinations[0].Service: "a:80": must not have a port`:          {Destinations: []Destination{{Service: "a:80"}}},
		`Destinations[1].Service: "A": Destinations[0] is for the same`:  {Destinations: []Destination{{Service: "a"}, {Service: "A"}}},
		`Destinations[0].Subsets[0].Name: must not be empty`:             {Destinations: []Destination{{Service: "a", Subsets: []Subset{{}}}}},
		`Destinations[0].Subsets[1].Name: "v": Subsets[0] has it`:        {Destinations: []Destination{{Service: "a", Subsets: []Subset{{Name: "v"}, {Name: "v"}}}}},
		`Destinations[0].Subsets[0].Labels: the name`:                    {Destinations: []Destination{{Service: "a", Subsets: []Subset{{Name: "v", Labels: map[string]string{"": ""}}}}}},
		`Destinations[0].Subsets[0].TLS.Mode: "x": must`:                 {Destinations: []Destination{{Service: "a", Subsets: []Subset{{Name: "v", Settings: Settings{TLS: &TLS{Mode: "x"}}}}}}},
		`Destinations[0].Resilience.Budget.Ratio: 2: must`:               treated(Settings{Resilience: resilience.Policy{Budget: &resilience.Budget{Ratio: 2}}}),
		`Destinations[0].Balance.Algorithm: unknown algorithm "best"`:    by(Balance{Algorithm: "best"}),
		`Destinations[0].Balance.Hash: is needed: maglev`:                by(Balance{Algorithm: "maglev"}),
		`Destinations[0].Balance.Hash: has no effect with`:               by(Balance{Algorithm: "random", Hash: &Key{Context: true}}),
		`Destinations[0].Balance.Hash: has no effect with the`:           by(Balance{Hash: &Key{Context: true}}),
		`Destinations[0].Balance.Hash.Header: "a b": not`:                by(Balance{Algorithm: "maglev", Hash: &Key{Header: "a b"}}),
		`Destinations[0].Balance.Hash.Source: needs Local`:               by(Balance{Algorithm: "maglev", Hash: &Key{Source: true}}),
		`Destinations[0].Balance.RingMin: has no effect`:                 by(Balance{Algorithm: "maglev", Hash: &Key{Context: true}, RingMin: 5}),
		`Destinations[0].Balance.TableSize: 10: want a prime`:            by(Balance{Algorithm: "maglev", Hash: &Key{Context: true}, TableSize: 10}),
		`Destinations[0].Balance.BoundedLoad: 0.5: want`:                 by(Balance{Algorithm: "maglev", Hash: &Key{Context: true}, BoundedLoad: 0.5}),
		`Destinations[0].Balance.Choices: 1: want`:                       by(Balance{Choices: 1}),
		`Destinations[0].Balance.SlowStart: has no effect`:               by(Balance{Algorithm: "random", SlowStart: &SlowStart{Window: 1}}),
		`Destinations[0].Balance.SlowStart.Window: 0s: want`:             by(Balance{SlowStart: &SlowStart{}}),
		`Destinations[0].Balance.SlowStart.MinPercent: NaN`:              by(Balance{SlowStart: &SlowStart{Window: 1, MinPercent: math.NaN()}}),
		`Destinations[0].Locality: more than one of`:                     near(Locality{Failover: []Failover{{"a", "b"}}, FailoverPriority: []string{"x"}}),
		`Locality.Distribute[0].To: the shares must sum to 100, and the`: near(Locality{Distribute: []Distribute{{"a", map[string]uint32{"b": 99}}}}),
		`Locality.Distribute[0].To["c"]: 0: must be 1 to 100`:            near(Locality{Distribute: []Distribute{{"a", map[string]uint32{"b": 100, "c": 0}}}}),
		`Locality.Distribute[0].To["b/c"]: "b/c": overlaps "b"`:          near(Locality{Distribute: []Distribute{{"a", map[string]uint32{"b": 50, "b/c": 50}}}}),
		`Locality.Distribute[1].From: "a/*": overlaps "a/b"`:             near(Locality{Distribute: []Distribute{{"a/b", map[string]uint32{"b": 100}}, {"a/*", map[string]uint32{"b": 100}}}}),
		`Locality.Distribute[0].From: "a//b": must be "reg`:              near(Locality{Distribute: []Distribute{{"a//b", map[string]uint32{"b": 100}}}}),
		`Locality.Distribute[0].From: "*/b": must be "reg`:               near(Locality{Distribute: []Distribute{{"*/b", map[string]uint32{"b": 100}}}}),
		`Locality.Distribute[0].From: "a/b/c/d": must have at`:           near(Locality{Distribute: []Distribute{{"a/b/c/d", map[string]uint32{"b": 100}}}}),
		`Locality.Failover[0].To: "a": must be another`:                  near(Locality{Failover: []Failover{{"a", "a"}}}),
		`Locality.Failover[0].To: "b/c": must be a region`:               near(Locality{Failover: []Failover{{"a", "b/c"}}}),
		`Locality.Failover[1].From: "a": is there twice`:                 near(Locality{Failover: []Failover{{"a", "b"}, {"a", "c"}}}),
		`Locality.FailoverPriority[1]: "x=1": must be`:                   near(Locality{FailoverPriority: []string{"x", "x=1"}}),
		`Connections.ConnectTimeout: -1ns: must`:                         treated(Settings{Connections: &Connections{ConnectTimeout: -1}}),
		`Connections.MaxRequests: -1: must`:                              treated(Settings{Connections: &Connections{MaxRequests: -1}}),
		`Connections.Keepalive.Count: -1: must`:                          treated(Settings{Connections: &Connections{Keepalive: &Keepalive{Count: -1}}}),
		`TLS: nothing else can be said`:                                  treated(Settings{TLS: &TLS{Mode: TLSDisable, CA: "x"}}),
		`TLS.Cert: this side proves nothing`:                             treated(Settings{TLS: &TLS{Mode: TLSSimple, Cert: "x"}}),
		`TLS.Cert: Cert and Key are needed`:                              treated(Settings{TLS: &TLS{Mode: TLSMutual, Cert: "x"}}),
		`TLS.CA: CA, Cert and Key are for`:                               treated(Settings{TLS: &TLS{CA: "x"}}),
		`TLS.ServerName: "a b": not the name`:                            treated(Settings{TLS: &TLS{ServerName: "a b"}}),
		`TLS.Names[0]: must not be empty`:                                treated(Settings{TLS: &TLS{Names: []string{""}}}),
	} {
		_, err := Compile(p, Local{})
		var field *FieldError
		switch {
		case err == nil || !strings.Contains(err.Error(), want):
			t.Errorf("want %s\ngot  %v", want, err)
		case !errors.As(err, &field):
			t.Errorf("%v: not a FieldError", err)
		}
	}
}

// All mistakes are told at once, and Validate tells the same, but what depends on the process.
func TestEveryMistakeIsTold(t *testing.T) {
	p := Policy{
		Routes: []Route{
			{Hosts: []string{"a b"}, Match: []Match{{Path: Regex("(")}, {Method: Exact("get")}}, Timeout: -1},
			{To: []Backend{{Service: "x", Subset: "v1"}, {Service: "y"}}, Sticky: &Key{Source: true}},
		},
		Destinations: []Destination{{Service: "*", Settings: Settings{TLS: &TLS{Mode: "x"}}}},
	}
	_, err := Compile(p, Local{})
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{
		"Routes[0].Hosts[0]", "Routes[0].Match[0].Path", "Routes[0].Match[1].Method", "Routes[1].To[0].Subset", "Routes[1].To",
		"Destinations[0].TLS.Mode", "Routes[1].Sticky.Source",
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], "traffic: "+want+": ") {
			t.Errorf("%d: want %s in\n%v", i, want, err)
		}
	}
	if len(lines) != 7 {
		t.Errorf("%d mistakes:\n%v", len(lines), err)
	}
	if !errors.Is(err, ErrUnknownSubset) {
		t.Error("not ErrUnknownSubset")
	}
	if v := p.Validate(); v.Error() != strings.Join(lines[:6], "\n") {
		t.Errorf("Validate: %v", v)
	}
}
