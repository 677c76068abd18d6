package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery/manifest"
)

// explanationJSON is what -explain prints with -json.
type explanationJSON struct {
	// Explanation is that of package traffic.
	Explanation traffic.Explanation `json:"explanation"`
	// Rule is where the rule stands that matched. Nothing: none did.
	Rule *originJSON `json:"rule,omitempty"`
	// Settings are where it stands how the destinations are treated, in their order; null where no manifest says it.
	Settings []*originJSON `json:"settings,omitempty"`
}

// explain tells what becomes of the request.
func (p *printer) explain(s *manifest.State, problems io.Writer) int {
	// Where a policy places requests by the address of the process any will do: which endpoint it is, is not told.
	table, err := traffic.Compile(s.Policy, traffic.Local{Labels: p.labels, Addr: "127.0.0.1"})
	if err != nil {
		fmt.Fprintf(problems, "meshlint: %v\n", err)
		return exitErrors
	}
	e := explanationJSON{Explanation: table.Explain(&p.request)}
	if rule := table.Match(&p.request); rule != nil {
		e.Rule = jsonOrigin(s.RouteOrigin(rule.Index))
	}
	for _, c := range e.Explanation.Destinations {
		e.Settings = append(e.Settings, settingsOrigin(s, c.Service))
	}
	if p.json {
		p.object(e)
		return exitGood
	}
	fmt.Fprint(p.out, e.Explanation)
	if e.Rule != nil {
		fmt.Fprintf(p.out, "rule at %v\n", e.Rule)
	}
	told := map[originJSON]bool{}
	for _, at := range e.Settings {
		if at != nil && !told[*at] {
			told[*at] = true
			fmt.Fprintf(p.out, "settings at %v\n", at)
		}
	}
	return exitGood
}

// String is "mesh/orders.yaml:12: VirtualService/orders: spec.http[0]".
func (o *originJSON) String() string {
	text := fmt.Sprintf("%s:%d: %s", o.File, o.Line, o.Object)
	if o.Field != "" {
		text += ": " + o.Field
	}
	return text
}

// settingsOrigin is where it stands how a service is treated: the most particular entry, as [traffic.Destination] has it.
func settingsOrigin(s *manifest.State, service string) *originJSON {
	name, port := strings.ToLower(service), uint16(0)
	if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.HasSuffix(name, "]") {
		n, _ := strconv.ParseUint(name[i+1:], 10, 16)
		name, port = name[:i], uint16(n)
	}
	best, at := -1, -1
	for i, d := range s.Policy.Destinations {
		if d.Port != 0 && d.Port != port {
			continue
		}
		if rank := particular(strings.ToLower(d.Service), name); rank >= 0 {
			if rank *= 2; d.Port != 0 {
				rank++
			}
			if rank > best {
				best, at = rank, i
			}
		}
	}
	if at < 0 {
		return nil
	}
	return jsonOrigin(s.DestinationOrigin(at))
}

// particular says how closely a pattern fits a name; below 0 where it does not.
func particular(pattern, name string) int {
	suffix, wildcard := strings.CutPrefix(pattern, "*")
	switch {
	case !wildcard && pattern == name:
		return 1 << 20
	case wildcard && strings.HasSuffix(name, suffix) && len(name) > len(suffix):
		return len(suffix)
	}
	return -1
}
