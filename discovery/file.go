package discovery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/intramesh/intramesh/internal/filewatch"
	"github.com/intramesh/intramesh/internal/snapshot"
)

// FileConfig says what [File] reads.
type FileConfig struct {
	// Path is the file. It is needed.
	Path string
	// Poll is how often the file is read even when the operating system says nothing of a change, as happens on network
	// file systems. 0: 30 s; negative: never.
	Poll time.Duration
	// Logger hears when the file is bad and when it is good again. Nil: [slog.Default].
	Logger *slog.Logger
}

// File is a [Source] of endpoints in a YAML file (JSON is YAML), which is read again when it changes:
//
//	services:
//	  orders:
//	    - addr: 127.0.0.1:8080
//	      zone: a
//	      region: eu
//	      subzone: rack-7
//	      weight: 2                   # 1 where it is not given
//	      metadata: {version: v1}
//	      id: spiffe://shop/orders
//	    - 127.0.0.1:8081              # a plain string is an endpoint too
//	  reviews: []                     # known, and nobody runs it
//
// Services are found by the name as it was asked for, port included, or are [Absent]; see the package's documentation.
//
// Reading is strict: unknown fields, numbers where a text should be, names or addresses that are there twice, aliases,
// a second document, and files above 16 MiB are errors with line and field. A file that is bad, half-written or gone
// keeps the last good state; each such problem is logged once, and so is its end. Watches hear only of changes of their
// service.
//
// The file may be edited in place, renamed into its place, deleted and created again, or reached through symlinks that
// are swapped, as a Kubernetes ConfigMap is. Changes count when they have rested for 50 ms. A list that was cut off at
// the end of a line is valid YAML, so programs should write another file and rename it.
//
// Close ends it.
type File struct {
	path    string // absolute
	log     *slog.Logger
	content snapshot.Value[map[string][]Endpoint]

	closing sync.Once
	closed  chan struct{} // closed by Close
	ended   chan struct{} // closed when the loop has ended
}

var _ Source = (*File)(nil)

// NewFile reads the file and begins to follow it. A file that cannot be read or is not valid is an error.
func NewFile(cfg FileConfig) (*File, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Path == "" {
		return nil, errors.New("discovery: file: FileConfig.Path is empty")
	}
	w, err := filewatch.New()
	if err != nil { // out of inotify instances, say: no reason not to work
		cfg.Logger.Warn("discovery: no notice of file changes; polling", "path", cfg.Path, "error", err)
	}
	f, err := newFile(cfg, w)
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("discovery: file: %w", err)
	}
	return f, nil
}

// newFile takes a nil watcher where the file is only to be polled. It makes the path absolute, so that a later change of
// directory changes nothing, and watches before it reads, so that no change falls in between.
func newFile(cfg FileConfig, w *filewatch.Watcher) (*File, error) {
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, log: cfg.Logger, closed: make(chan struct{}), ended: make(chan struct{})}
	r := &reloader{file: f, dirs: w}
	w.Follow(path)
	if err := r.load(); err != nil {
		return nil, err
	}
	poll := cfg.Poll
	if poll == 0 {
		poll = 30 * time.Second
	}
	go r.run(poll)
	return f, nil
}

// Watch reports the endpoints of the service as the file lists them. When the file is closed it ends with an error that
// is [fs.ErrClosed].
func (f *File) Watch(ctx context.Context, service string, fn func(Update)) error {
	r := reporter{fn: fn}
	for {
		services, changed := f.content.Watch()
		select {
		case <-f.closed:
			return f.over(ctx)
		default:
		}
		if endpoints, known := (*services)[service]; known {
			r.set(ctx, endpoints)
		} else {
			r.gone(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-f.closed:
			return f.over(ctx)
		case <-changed:
		}
	}
}

func (f *File) over(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // that is how a Watch ends
	}
	return fmt.Errorf("discovery: file %s: %w", f.path, fs.ErrClosed)
}

// Close stops following the file and ends all watches. It may be called many times.
func (f *File) Close() error {
	f.closing.Do(func() { close(f.closed) })
	<-f.ended
	return nil
}
