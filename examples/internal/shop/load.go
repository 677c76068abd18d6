package shop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Visitors pause between requests, so that the shop is busy and two small cores are not full.
const (
	visitors  = 20
	pause     = 40 * time.Millisecond // on average
	maxErrors = 5                     // failures that are told in full
)

// load is the visitors of the shop, and what they saw. Their http.Client is a plain one: a browser has no mesh, and what
// it sees is what counts.
type load struct {
	base string
	http *http.Client
	all  sync.WaitGroup

	mu      sync.Mutex
	total   seen
	recent  seen // since the last step
	told    map[string]purchase
	open    map[string]bool // purchases whose answer was a failure: nobody was told how they ended
	lenient bool            // reviews may be missing
	full    chan struct{}   // closed at the next page with reviews; nil where nobody waits
}

// seen is what visitors saw.
type seen struct {
	requests, failed, degraded int
	unexcused                  int // degraded when reviews were there
	errors                     []string
	slowest                    time.Duration
	took                       histogram
	calls                      Stats
}

func newLoad(base string) *load {
	return &load{
		base: base,
		http: &http.Client{
			Timeout:   10 * time.Second,
			Transport: &http.Transport{MaxIdleConnsPerHost: 2 * visitors},
		},
		total: seen{calls: Stats{}}, recent: seen{calls: Stats{}},
		told: map[string]purchase{}, open: map[string]bool{},
	}
}

// start lets the visitors in; they leave when ctx ends, after the request that they are at.
func (l *load) start(ctx context.Context) {
	for i := range visitors {
		v := &visitor{load: l, name: fmt.Sprintf("v%d", i+1), dice: rand.New(rand.NewPCG(uint64(i), 1))}
		l.all.Go(func() { v.visit(ctx) })
	}
}

// wait returns when the last visitor has left.
func (l *load) wait() {
	l.all.Wait()
	l.http.CloseIdleConnections()
}

// note counts one request: what it was, how long it took, what was wrong with it, and whether the page was degraded.
func (l *load) note(method string, took time.Duration, err error, degraded, excused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range []*seen{&l.total, &l.recent} {
		s.note(method, took, err, degraded, excused)
	}
	if method == pageMethod && err == nil && !degraded && l.full != nil {
		close(l.full)
		l.full = nil
	}
}

func (s *seen) note(method string, took time.Duration, err error, degraded, excused bool) {
	s.requests++
	s.took.add(took)
	s.slowest = max(s.slowest, took)
	m := s.calls.method("web " + method)
	m.Calls++
	m.Attempts++
	m.Took.add(took)
	if degraded {
		s.degraded++
	}
	if degraded && !excused {
		s.unexcused++
	}
	if err != nil {
		s.failed++
		if len(s.errors) < maxErrors {
			s.errors = append(s.errors, fmt.Sprintf("%s: %v", method, err))
		}
	}
}

// sum is what there is at the end.
func (l *load) sum() seen {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// since is what visitors saw since it was last asked for.
func (l *load) since() *seen {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.recent
	l.recent = seen{calls: Stats{}}
	return &s
}
