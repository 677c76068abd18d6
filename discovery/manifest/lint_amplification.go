package manifest

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Amplification is a chain of calls along declared routes, and how many attempts at its end one call at its beginning may
// cause: the attempts of each hop, multiplied.
//
// It knows what routes say: a hop leads from a caller to where a route goes. Who calls is known where a match names it, in
// sourceLabels; a service is meant where its endpoints, or the selector of its Service, have all of these labels, or where its
// name is the value of the label app, app.kubernetes.io/name or service.istio.io/canonical-name. A route that names no source
// may only begin a chain, since nobody knows who uses it. Routes of the Gateway API name no source.
//
// It is a bound for when every attempt fails and is repeated as written. Budgets and circuit breakers, retries that the
// programs configure themselves, and services that do not call on are not counted. Of a circle of routes one way through it is
// counted, so that it is no bound there.
type Amplification struct {
	// Attempts is how many attempts reach the last service at worst.
	Attempts int
	// Hops are the calls of the chain, in their order.
	Hops []Hop
}

// Hop is one call of a chain.
type Hop struct {
	// From is the service that calls. Empty: anybody.
	From string
	// To is the service that is called.
	To string
	// Attempts are those of one call.
	Attempts int
	// Origin is what the route was made of.
	Origin Origin
}

// String is the chain in one line: "27 attempts: anybody -> web (3) -> orders (3) -> stock (3)".
func (a *Amplification) String() string {
	var b strings.Builder
	b.WriteString(strconv.Itoa(a.Attempts) + " attempts: ")
	if a.Attempts == 1 {
		b.Reset()
		b.WriteString("1 attempt: ")
	}
	for i, h := range a.Hops {
		if i == 0 {
			b.WriteString(cmp.Or(h.From, "anybody"))
		}
		fmt.Fprintf(&b, " -> %s (%d)", h.To, h.Attempts)
	}
	return b.String()
}

// defaultMaxAttempts is more than the attempts of two hops as Istio repeats, 3 times 3, and less than those of three.
const defaultMaxAttempts = 10

// amplification finds the worst chain, and warns where it is too bad.
func (l *linter) amplification() {
	g := l.callGraph()
	l.worst = g.worst()
	most := l.maxAttempts
	if most == 0 {
		most = defaultMaxAttempts
	}
	if l.worst == nil || most < 0 || l.worst.Attempts <= most {
		return
	}
	end := l.worst.Hops[len(l.worst.Hops)-1].Origin
	if end.Object == nil {
		return
	}
	field, _ := retryField(end)
	l.find(end.Object, field, fmt.Sprintf("retries multiply along routes, at worst to %v; at most %d are wanted", l.worst, most), "")
}
