package matrix

import (
	"context"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc/grpclog"
)

// TestMain takes the place of the process's logger, which is what a Config without a Logger uses.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(toWorld{}))
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}

// recorder is a log as a list of levels and messages. It hears every level.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

func (*recorder) Enabled(context.Context, slog.Level) bool { return true }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler     { return r }
func (r *recorder) WithGroup(string) slog.Handler          { return r }

func (r *recorder) Handle(_ context.Context, rec slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, rec.Level.String()+" "+rec.Message)
	return nil
}

// heard is what was logged so far.
func (r *recorder) heard() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

// processLog is the process's log of the cell that runs now.
var processLog atomic.Pointer[recorder]

// toWorld hands what is logged by default to the cell that runs now.
type toWorld struct{}

func (toWorld) Enabled(context.Context, slog.Level) bool { return true }
func (h toWorld) WithAttrs([]slog.Attr) slog.Handler     { return h }
func (h toWorld) WithGroup(string) slog.Handler          { return h }

func (toWorld) Handle(ctx context.Context, rec slog.Record) error {
	if r := processLog.Load(); r != nil {
		return r.Handle(ctx, rec)
	}
	return nil
}
