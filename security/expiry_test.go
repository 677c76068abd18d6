package security

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"github.com/intramesh/intramesh/internal/snapshot"
)

// Each stage of a life is logged once, at its time, and a new certificate begins anew.
func TestWarn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log text
		start := time.Now()
		fresh := func() *Material {
			return &Material{id: spiffeid.RequireFromString("spiffe://shop/web"), cert: &tls.Certificate{},
				notBefore: time.Now(), notAfter: time.Now().Add(100 * time.Minute)}
		}
		var id snapshot.Value[Material]
		id.Store(fresh())
		stop := make(chan struct{})
		go warn(watchable{&id}, slog.New(slog.NewTextHandler(&log, nil)), stop)
		defer close(stop)
		at := func(minute int, level, want string) {
			t.Helper()
			time.Sleep(time.Until(start.Add(time.Duration(minute) * time.Minute)))
			synctest.Wait()
			if log.String() != "" {
				t.Errorf("before minute %d: %s", minute, log.String())
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			got := log.String()
			log.Reset()
			if want == "" && got != "" || strings.Count(got, "\n") > 1 || !strings.Contains(got, level) || !strings.Contains(got, want) {
				t.Errorf("at minute %d: %q", minute, got)
			}
		}
		at(50, "INFO", "half")
		at(80, "WARN", "has not been renewed")
		at(95, "ERROR", "about to expire")
		at(100, "ERROR", "has expired")
		at(200, "", "")
		start = time.Now()
		id.Store(fresh())
		at(50, "INFO", "half")
		start = time.Now()
		id.Store(fresh())
		at(49, "", "")
		// One that is read late says at once how late it is, and only that.
		late := fresh()
		late.notBefore, late.notAfter = late.notBefore.Add(-90*time.Minute), late.notAfter.Add(-90*time.Minute)
		id.Store(late)
		synctest.Wait()
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "WARN") || !strings.Contains(got, "left=10m0s") {
			t.Errorf("read late: %q", got)
		}
	})
}

// text is a buffer for several goroutines.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *text) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *text) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *text) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Reset()
}

// watchable is a snapshot as an identity.
type watchable struct{ *snapshot.Value[Material] }
