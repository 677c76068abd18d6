package shop

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// words puts a duration into the line of a step, where it has room for one.
func words(says string, d time.Duration) string {
	if strings.Contains(says, "%s") {
		return fmt.Sprintf(says, d.Round(100*time.Millisecond))
	}
	return says
}

// words say what visitors noticed.
func (s *seen) words() string {
	text := fmt.Sprintf("%d requests, %d failed", s.requests, s.failed)
	if s.degraded > 0 {
		text += fmt.Sprintf(", %d pages without reviews", s.degraded)
	}
	return text + fmt.Sprintf(", slowest %s", Round(s.slowest))
}

// Repeats says how many attempts at a service were followed by another, and why, and what became of its instances.
func (sh *Shop) Repeats(s State, service string) string {
	parts := []string{s.Calls.Repeats(service)}
	for _, what := range []string{ejected, readmitted} {
		var names []string
		for key := range s.Events {
			if addr, ok := strings.CutPrefix(key, what+" "+service+" "); ok {
				names = append(names, sh.nameOf(addr))
			}
		}
		slices.Sort(names)
		if len(names) > 0 {
			parts = append(parts, strings.Join(names, ", ")+" "+what)
		}
	}
	return strings.Join(parts, "; ")
}

// NoRepeats is what Repeats says where nothing was repeated.
const NoRepeats = "nothing to repeat"

// Repeats says how many attempts at a service were followed by another, and why.
func (s Stats) Repeats(service string) string {
	n, why := 0, map[string]int{}
	for key, m := range s {
		if of(key) != service {
			continue
		}
		for reason, k := range m.Failed {
			n += k
			why[reason] += k
		}
	}
	if n == 0 {
		return NoRepeats
	}
	var parts []string
	for reason, k := range why {
		if k > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", reason, k))
		}
	}
	slices.Sort(parts)
	return fmt.Sprintf("%d attempts repeated (%s)", n, strings.Join(parts, ", "))
}

// of is the service that a key of stats is about.
func of(key string) string {
	service, _, _ := strings.Cut(key, " ")
	return service
}

// Attempts counts those that went to a process, and all at its service.
func (sh *Shop) Attempts(s Stats, name string) (its, all int) {
	service := name[:strings.LastIndexByte(name, '-')]
	for key, m := range s {
		if of(key) != service {
			continue
		}
		for addr, n := range m.ByAddr {
			all += n
			if sh.nameOf(addr) == name {
				its += n
			}
		}
	}
	return its, all
}

// Share says which part of the attempts at its service went to a process.
func (sh *Shop) Share(s Stats, name string) string {
	its, all := sh.Attempts(s, name)
	if all == 0 {
		return "was not called"
	}
	return fmt.Sprintf("got %d of %d attempts (%d %%)", its, all, (100*its+all/2)/all)
}

// nameOf is the name of the process at an address.
func (sh *Shop) nameOf(addr string) string {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.names[addr]
}
