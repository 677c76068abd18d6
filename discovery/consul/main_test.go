package consul

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/intramesh/intramesh/discovery"
)

func TestMain(m *testing.M) {
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "CONSUL_") {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

// patience bounds the wait for what must happen on a busy machine.
const patience = 2 * time.Minute

// logs is what a Plane has logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logs) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// newPlane makes a Plane that is closed with the test. What it logs is discarded unless cfg says otherwise.
func newPlane(t *testing.T, cfg Config) *Plane {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// listener hears what one Watch says.
type listener struct {
	t      *testing.T
	news   chan discovery.Update
	cancel context.CancelFunc
	result chan error
	set    []discovery.Endpoint
	absent bool
	err    error // of the last Failed since the last answer
}

func listen(t *testing.T, s discovery.Source, service string) *listener {
	ctx, cancel := context.WithCancel(context.Background())
	l := &listener{t: t, news: make(chan discovery.Update, 10_000), cancel: cancel, result: make(chan error, 1)}
	go func() { l.result <- s.Watch(ctx, service, func(u discovery.Update) { l.news <- u }) }()
	t.Cleanup(cancel)
	return l
}

// next is the next piece of news.
func (l *listener) next() discovery.Update {
	l.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case u := <-l.news:
		l.set, l.absent = u.Apply(l.set), u.Kind == discovery.Absent || l.absent && u.Kind == discovery.Failed
		l.err = u.Err
		return u
	case err := <-l.result:
		l.t.Fatalf("Watch returned %v", err)
	case <-limit.C:
		l.t.Fatalf("no news for %v; there is %v", patience, l.set)
	}
	return discovery.Update{}
}

// until takes news until ok.
func (l *listener) until(ok func(u discovery.Update) bool) {
	l.t.Helper()
	for !ok(l.next()) {
	}
}

// has waits for exactly these addresses.
func (l *listener) has(addrs ...string) {
	l.t.Helper()
	l.until(func(u discovery.Update) bool {
		if u.Kind == discovery.Failed || l.absent || len(l.set) != len(addrs) {
			return false
		}
		for _, e := range l.set {
			if !strings.Contains(strings.Join(addrs, " ")+" ", e.Addr+" ") {
				return false
			}
		}
		return true
	})
}

// fails waits for a failure whose text has the words.
func (l *listener) fails(words string) {
	l.t.Helper()
	l.until(func(u discovery.Update) bool {
		return u.Kind == discovery.Failed && strings.Contains(u.Err.Error(), words)
	})
}

func containsAll(text string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
