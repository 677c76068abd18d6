package stack

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/intramesh/intramesh/security"
)

// sparse is a log of what strangers can cause as often as they like: a line a second for each kind, which says how many
// there were that have none. Kinds must be few.
type sparse struct{ kinds sync.Map } // string to *sparseKind

type sparseKind struct {
	next     atomic.Int64 // when the next line may be written, in nanoseconds of Unix
	unlogged atomic.Int64
}

func (s *sparse) warn(log *slog.Logger, kind, msg string, attrs ...slog.Attr) {
	v, ok := s.kinds.Load(kind)
	if !ok {
		v, _ = s.kinds.LoadOrStore(kind, new(sparseKind))
	}
	unlogged, due := v.(*sparseKind).due(time.Now().UnixNano())
	if !due {
		return
	}
	if unlogged > 0 {
		attrs = append(attrs, slog.Int64("unlogged", unlogged))
	}
	log.LogAttrs(context.Background(), slog.LevelWarn, msg, attrs...)
}

func (k *sparseKind) due(now int64) (unlogged int64, ok bool) {
	next := k.next.Load()
	if now < next || !k.next.CompareAndSwap(next, now+int64(time.Second)) {
		k.unlogged.Add(1)
		return 0, false
	}
	return k.unlogged.Swap(0), true
}

// ObserveRefusals is what a TLS config tells of the clients that it refuses: they never learn the reason.
func ObserveRefusals(log *slog.Logger) security.Observer {
	s := new(sparse)
	return func(e *security.HandshakeError) {
		s.warn(log, string(e.Reason), "intramesh: client refused",
			slog.String("reason", string(e.Reason)), slog.String("peer", e.PeerID), slog.Any("error", e))
	}
}
