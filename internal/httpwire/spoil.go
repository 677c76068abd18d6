package httpwire

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/intramesh/intramesh/client/traffic"
)

// Spoil spoils the body of a response as the faults say, in their order. ctx is the attempt's, seed what decides which bytes
// are corrupted, and blame words the errors that a reader gets.
func Spoil(ctx context.Context, resp *http.Response, faults []traffic.BodyFault, seed uint64, blame func(error) error) {
	for i := range faults {
		body, f := resp.Body, &faults[i]
		switch {
		case f.Corrupt > 0:
			resp.Body = &corrupted{body, f.Corrupt, rand.New(rand.NewPCG(seed, uint64(i)))}
		case f.TruncateAfter != nil:
			if n := *f.TruncateAfter; resp.ContentLength < 0 {
				resp.Body = &broken{ReadCloser: body, left: n, err: io.EOF}
			} else if n < resp.ContentLength {
				resp.Body = &broken{ReadCloser: body, left: n, err: blame(io.ErrUnexpectedEOF)}
			}
		case f.ResetAfter != nil:
			if n := *f.ResetAfter; resp.ContentLength < 0 || n < resp.ContentLength {
				resp.Body = &broken{ReadCloser: body, left: n, err: blame(errReset)}
			}
		case f.BytesPerSecond > 0:
			resp.Body = &paced{ReadCloser: body, ctx: ctx, rate: f.BytesPerSecond, closed: make(chan struct{})}
		}
	}
}

// errReset is what a connection says that its peer has reset.
var errReset error = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}

// corrupted is a body of which some bytes are others.
type corrupted struct {
	io.ReadCloser

	share float64
	rand  *rand.Rand
}

func (c *corrupted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	for i := range p[:n] {
		if c.share >= 1 || c.rand.Float64() < c.share {
			p[i] ^= byte(1 + c.rand.IntN(255))
		}
	}
	return n, err
}

// broken is a body that ends after some bytes, with err. What is behind it is closed then: over HTTP/1.1 that closes the
// connection, over HTTP/2 it resets the stream.
type broken struct {
	io.ReadCloser

	left int64
	err  error
	over bool
}

func (b *broken) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if !b.over {
			b.over = true
			_ = b.ReadCloser.Close()
		}
		return 0, b.err
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// paced is a body that comes at a rate. A read takes as long as its bytes do.
type paced struct {
	io.ReadCloser

	ctx    context.Context // of the attempt, which lasts as long as the body
	rate   int64           // bytes a second
	due    time.Time
	once   sync.Once
	closed chan struct{}
}

// paceUnit is the part of a second whose bytes come at once.
const paceUnit = 20

func (b *paced) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), max(b.rate/paceUnit, 1))])
	if n == 0 {
		return n, err
	}
	if late := b.wait(n); late != nil {
		return 0, late // what comes after its time does not come
	}
	return n, err
}

// wait waits until the bytes would have come. What the reader was late for is not made up for.
func (b *paced) wait(n int) error {
	now := time.Now()
	if b.due.Before(now) {
		b.due = now
	}
	b.due = b.due.Add(time.Duration(float64(n) / float64(b.rate) * float64(time.Second)))
	d := b.due.Sub(now)
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-b.closed:
		return http.ErrBodyReadAfterClose
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

// Close ends a read that waits.
func (b *paced) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.ReadCloser.Close()
}
