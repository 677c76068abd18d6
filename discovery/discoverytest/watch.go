package discoverytest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// suite is one rule being checked.
type suite struct {
	*testing.T
	Harness
	Registry
}

// open makes the source.
func (s *suite) open(content Content) { s.Registry = s.Open(s.T, content) }

// watcher follows one Watch as a client would, and notes every breach of the rules.
type watcher struct {
	s       *suite
	service string
	cancel  context.CancelFunc
	news    chan struct{} // has a value after news
	result  chan error

	busy     atomic.Bool // fn is running
	returned atomic.Bool // Watch has returned

	mu     sync.Mutex
	state  state
	given  []discovery.Update // as they were handed over
	copies []discovery.Update // and what they were then
}

// watch starts a Watch, which ends with the test if not before.
func (s *suite) watch(service string) *watcher {
	return s.watchWith(context.Background(), service, func(*watcher) {})
}

// watchWith calls during after each piece of news, inside fn.
func (s *suite) watchWith(ctx context.Context, service string, during func(*watcher)) *watcher {
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{s: s, service: service, cancel: cancel, news: make(chan struct{}, 1), result: make(chan error, 1)}
	go func() {
		err := s.Source.Watch(ctx, service, func(u discovery.Update) {
			if !w.busy.CompareAndSwap(false, true) {
				s.Errorf("%s: two calls of fn overlap", service)
			}
			w.hear(u)
			during(w)
			w.busy.Store(false)
		})
		w.returned.Store(true)
		w.result <- err
	}()
	s.Cleanup(cancel)
	return w
}

// hear checks one update and applies it.
func (w *watcher) hear(u discovery.Update) {
	if w.returned.Load() {
		w.s.Errorf("%s: fn runs after Watch has returned", w.service)
		return
	}
	w.mu.Lock()
	for _, problem := range w.state.apply(u) {
		w.s.Errorf("%s: %s", w.service, problem)
	}
	w.given, w.copies = append(w.given, u), append(w.copies, deepCopy(u))
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// until waits for a state, and fails the test when it does not come.
func (w *watcher) until(what string, ok func(state) bool) {
	w.s.Helper()
	limit := time.NewTimer(w.s.Patience)
	defer limit.Stop()
	for {
		now := w.now()
		if ok(now) {
			return
		}
		if w.s.Failed() {
			w.s.FailNow() // a source that breaks the rules need not get there
		}
		select {
		case <-w.news:
		case err := <-w.result:
			w.result <- err // for ends
			if ok(w.now()) {
				return
			}
			w.s.Fatalf("%s: waiting for %s: Watch returned %v", w.service, what, err)
		case <-limit.C:
			w.s.Fatalf("%s: waited %v for %s; there is %v", w.service, w.s.Patience, what, now)
		}
	}
}

func (w *watcher) now() state {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

// has waits for exactly these endpoints, in any order.
func (w *watcher) has(endpoints ...discovery.Endpoint) {
	w.s.Helper()
	w.until(fmt.Sprintf("%d endpoints %+v", len(endpoints), endpoints), func(st state) bool {
		return st.answered && !st.absent && alike(st.set, endpoints)
	})
}

func (w *watcher) isAbsent() {
	w.s.Helper()
	w.until("absence", func(st state) bool { return st.absent })
}

// ends waits for Watch to return nil, and checks that what it handed over is what it was.
func (w *watcher) ends() {
	w.s.Helper()
	w.cancel()
	select {
	case err := <-w.result:
		if err != nil {
			w.s.Errorf("%s: Watch returned %v after ctx had ended, expected nil", w.service, err)
		}
	case <-time.After(w.s.Patience):
		w.s.Fatalf("%s: Watch has not returned %v after ctx ended", w.service, w.s.Patience)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.given {
		if !sameUpdate(w.given[i], w.copies[i]) {
			w.s.Errorf("%s: update %d was changed after it had been handed over", w.service, i)
		}
	}
}
