package memnet

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how much a pipe holds before its writer has to wait, in bytes: about what Linux lets TCP buffer on loopback.
const window = 256 << 10

// pipe is one direction of a connection.
type pipe struct {
	mu   sync.Mutex
	wake sync.Cond // something below has changed, or a deadline has passed

	buf       bytes.Buffer
	finished  bool // the writer sends no more
	abandoned bool // the reader has closed
	broken    bool // reset
	stalled   bool // nothing gets through

	readBy  deadline
	writeBy deadline
}

func newPipe() *pipe {
	p := &pipe{}
	p.wake.L = &p.mu
	p.readBy.expired, p.writeBy.expired = p.notify, p.notify
	return p
}

// read returns what there is, and waits while there is nothing. As in package net, an expired deadline comes before data.
func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.abandoned:
			return 0, net.ErrClosed
		case p.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case p.stalled:
		case p.broken:
			return 0, os.NewSyscallError("read", syscall.ECONNRESET)
		case p.buf.Len() > 0:
			p.wake.Broadcast()
			return p.buf.Read(b)
		case p.finished:
			return 0, io.EOF
		}
		p.wake.Wait()
	}
}

// write stores b, and waits while the window is full.
func (p *pipe) write(b []byte) (written int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.finished:
			return written, net.ErrClosed
		case p.writeBy.passed():
			return written, os.ErrDeadlineExceeded
		case p.stalled: // that the peer has gone is not known either
		case p.broken:
			return written, os.NewSyscallError("write", syscall.ECONNRESET)
		case p.abandoned:
			return written, os.NewSyscallError("write", syscall.EPIPE)
		}
		if room := min(window-p.buf.Len(), len(b)); room > 0 {
			p.buf.Write(b[:room])
			written, b = written+room, b[room:]
			p.wake.Broadcast()
		}
		if len(b) == 0 {
			return written, nil
		}
		p.wake.Wait()
	}
}

// finish is the end of writing: the reader gets what is pending, then io.EOF.
func (p *pipe) finish() {
	p.change(func() { p.finished = true; p.writeBy.set(time.Time{}) })
}

// abandon is the end of reading: what is pending is dropped and writes fail.
func (p *pipe) abandon() {
	p.change(func() { p.abandoned = true; p.buf.Reset(); p.readBy.set(time.Time{}) })
}

// reset breaks the pipe for both sides and loses what is pending.
func (p *pipe) reset() {
	p.change(func() { p.broken = true; p.buf.Reset() })
}

func (p *pipe) notify() { p.change(func() {}) }

func (p *pipe) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.wake.Broadcast()
}
