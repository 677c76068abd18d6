package shop

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// report is what the run comes to.
type report struct {
	calls            Stats
	events           Events
	visitors         seen
	lost, duplicated int
	problems         []string
}

// ok tells whether the shop kept its promises.
func (r report) ok() bool {
	v := r.visitors
	return len(r.problems) == 0 && v.requests > 0 && v.failed == 0 && v.unexcused == 0 && r.lost == 0 && r.duplicated == 0
}

// print writes the table, what went wrong, and the one line for scripts, which is the last.
func (r report) print(out io.Writer) {
	fmt.Fprintln(out)
	r.table(out)
	fmt.Fprintln(out)
	r.guards(out)
	fmt.Fprintln(out)
	for _, e := range r.visitors.errors {
		fmt.Fprintln(out, "failed:", e)
	}
	for _, p := range r.problems {
		fmt.Fprintln(out, "problem:", p)
	}
	if n := r.visitors.unexcused; n > 0 {
		fmt.Fprintf(out, "problem: %d pages had no reviews although reviews were there\n", n)
	}
	word := "ok"
	if !r.ok() {
		word = "FAILED"
	}
	v := r.visitors
	fmt.Fprintf(out, "%s requests=%d failed=%d degraded=%d lost=%d duplicated=%d retries=%d p50=%s p99=%s\n",
		word, v.requests, v.failed, v.degraded, r.lost, r.duplicated, r.retries(),
		Round(v.took.quantile(0.5)), Round(v.took.quantile(0.99)))
}

// table writes a line for each method: first what visitors asked for, then what the services asked of each other.
func (r report) table(out io.Writer) {
	fmt.Fprintf(out, "%-10s %-13s %7s %9s %8s %8s %8s\n", "service", "method", "calls", "attempts", "retries", "p50", "p99")
	for _, s := range []Stats{r.visitors.calls, r.calls} {
		for _, key := range slices.Sorted(maps.Keys(s)) {
			service, method, _ := strings.Cut(key, " ")
			m := s[key]
			fmt.Fprintf(out, "%-10s %-13s %7d %9d %8d %8s %8s\n", service, method, m.Calls, m.Attempts, m.retries(),
				Round(m.Took.quantile(0.5)), Round(m.Took.quantile(0.99)))
		}
	}
}

// guards writes a line for each service: how often the mesh took something out of service or refused it.
func (r report) guards(out io.Writer) {
	fmt.Fprintf(out, "%-10s %9s %16s   %s\n", "service", "ejections", "breaker openings", "refusals: by breaker, permission, handshake")
	for _, service := range []string{"inventory", "orders", "payments", "reviews"} {
		fmt.Fprintf(out, "%-10s %9d %16d %21d %11d %10d\n", service, r.events.Count(ejected, service),
			r.events.Count(Opened, service), r.calls.Refused(service), r.events.Count(denied, service),
			r.events.Count(Stranger, service))
	}
}

// retries are those of the mesh.
func (r report) retries() int {
	n := 0
	for _, m := range r.calls {
		n += m.retries()
	}
	return n
}

// retries are the attempts that another one followed.
func (m *MethodStats) retries() int {
	n := 0
	for _, k := range m.Failed {
		n += k
	}
	return n
}

// Round shortens a duration to what a reader needs.
func Round(d time.Duration) time.Duration {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}
