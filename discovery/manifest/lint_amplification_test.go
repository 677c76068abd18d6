package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// chain writes services of which each calls the next one, with so many retries; the last one calls the first where circle is
// set.
func chain(n, retries int, circle bool) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(entryFor(fmt.Sprintf("s%d", i), "v1"))
		if i > 0 || circle {
			fmt.Fprintf(&b, "VirtualService s%[1]d: {hosts: [s%[1]d], http: [{match: [{sourceLabels: {app: s%[2]d}}], route: [{destination: {host: s%[1]d}}], "+
				"retries: {attempts: %[3]d, retryOn: connect-failure}}]}\n", i, (i+n-1)%n, retries)
		}
	}
	return b.String()
}

func TestAmplification(t *testing.T) {
	route := "VirtualService b: {hosts: [b], http: [{%s route: [{destination: {host: b}}], retries: {attempts: 4, retryOn: connect-failure}}]}\n"
	for name, c := range map[string]struct {
		text  string
		most  int
		worst string
		warns int
	}{
		"no route":      {entryFor("a", "v1"), 0, "", 0},
		"one hop":       {fmt.Sprintf(entryFor("b", "v1")+route, ""), 0, "5 attempts: anybody -> b (5)", 0},
		"two hops":      {chain(3, 2, false), 0, "9 attempts: s0 -> s1 (3) -> s2 (3)", 0},
		"three hops":    {chain(4, 2, false), 0, "27 attempts: s0 -> s1 (3) -> s2 (3) -> s3 (3)", 1},
		"a lower bound": {chain(3, 2, false), 8, "9 attempts: s0 -> s1 (3) -> s2 (3)", 1},
		"any number":    {chain(4, 2, false), -1, "27 attempts: s0 -> s1 (3) -> s2 (3) -> s3 (3)", 0},
		"no retries": {
			entryFor("b", "v1") + "VirtualService b: {hosts: [b], http: [{route: [{destination: {host: b}}], retries: {attempts: 0}}]}\n",
			1, "1 attempt: anybody -> b (1)", 0,
		},
		// Callers of s0 that are not s1 get the retries that Istio adds.
		"a circle": {chain(2, 2, true), 0, "27 attempts: anybody -> s0 (3) -> s1 (3) -> s0 (3)", 1},
		"a name that no service has": {
			fmt.Sprintf(entryFor("b", "v1")+route, "match: [{sourceLabels: {app.kubernetes.io/name: batch, tier: x}}],"), 0, "5 attempts: batch -> b (5)", 0,
		},
		"labels that name nobody": {fmt.Sprintf(entryFor("b", "v1")+route, "match: [{sourceLabels: {tier: x}}],"), 0, "5 attempts: tier=x -> b (5)", 0},
		"the selector of a Service": {
			"Service front: {ports: [{port: 80}], selector: {role: front, tier: web}}\n" + fmt.Sprintf(entryFor("b", "v1")+route, "match: [{sourceLabels: {role: front}}],"),
			0, "5 attempts: front -> b (5)", 0,
		},
		"only part of the labels": {
			"Service front: {ports: [{port: 80}], selector: {role: front}}\n" + fmt.Sprintf(entryFor("b", "v1")+route, "match: [{sourceLabels: {app: other, role: front}}],"),
			0, "5 attempts: other -> b (5)", 0,
		},
		"an entry, and two hops": {
			strings.Replace(chain(3, 2, false), "VirtualService", "VirtualService s0: {hosts: [s0], http: [{route: [{destination: {host: s0}}], retries: {attempts: 1, retryOn: 5xx}}]}\nVirtualService", 1),
			0, "18 attempts: anybody -> s0 (2) -> s1 (3) -> s2 (3)", 1,
		},
		"a share of nothing": {
			entryFor("b", "v1") + entryFor("c", "v1") + "VirtualService b: {hosts: [b], http: [{route: [{destination: {host: b}, weight: 100}, {destination: {host: c}, weight: 0}], retries: {attempts: 1, retryOn: 5xx}}]}\n",
			0, "2 attempts: anybody -> b (2)", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			found, r := lintOf(t, LintOptions{MaxAttempts: c.most}, c.text)
			worst := ""
			if r.Worst != nil {
				worst = r.Worst.String()
			}
			if worst != c.worst {
				t.Errorf("worst: %s\nwant:  %s", worst, c.worst)
			}
			if n := strings.Count(found, "retries multiply"); n != c.warns {
				t.Errorf("found:\n%s", found)
			}
		})
	}
}

// TestAmplificationEnds: numbers of long chains stay numbers.
func TestAmplificationEnds(t *testing.T) {
	_, r := lintOf(t, LintOptions{}, chain(40, 10, true))
	if r.Worst == nil || r.Worst.Attempts != mostAttempts {
		t.Errorf("%v; %v", r.Worst, r.Findings.Err())
	}
}

// TestHopOrigin: a hop says where its route stands.
func TestHopOrigin(t *testing.T) {
	_, r := lintOf(t, LintOptions{}, chain(3, 2, false))
	if got := r.Worst.Hops[1].Origin; got.Object.Name != "s2" || got.Field != "spec.http[0]" {
		t.Errorf("%+v", got)
	}
}
