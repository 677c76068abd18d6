package httpwire

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// Lifetime is told of the life of a response's body.
type Lifetime interface {
	// Moved is called after each read or write that moved something, if Watched says so.
	Moved()
	// Failed gives an error of the body the form that the caller sees.
	Failed(err error) error
	// Over is called exactly once, when the body has been read to its end, has failed or has been closed.
	Over()
}

// Body is a response body that tells when it moves and when it is over.
type Body struct {
	rc      io.ReadCloser
	life    Lifetime
	watched bool
	closed  atomic.Bool
	over    atomic.Bool
}

// Attach puts b between resp's body and its reader. With watched, life hears of every move. A response without a body
// is over at once.
func (b *Body) Attach(resp *http.Response, life Lifetime, watched bool) {
	b.rc, b.life, b.watched = resp.Body, life, watched
	if rwc := Upgraded(resp); rwc != nil {
		resp.Body = &upgraded{Body: b, rwc: rwc}
		return
	}
	if resp.Body == nil || resp.Body == http.NoBody {
		resp.Body = http.NoBody
		b.end()
		return
	}
	resp.Body = b
}

// Upgraded is the connection behind a response that has switched protocols; nil for any other response.
func Upgraded(resp *http.Response) io.ReadWriteCloser {
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil
	}
	rwc, _ := resp.Body.(io.ReadWriteCloser)
	return rwc
}

// Read hands bytes on, and tells the call that it is alive.
func (b *Body) Read(p []byte) (int, error) {
	n, err := b.rc.Read(p)
	if b.watched && n > 0 {
		b.life.Moved()
	}
	if err != nil {
		err = b.failed(err)
		b.end()
	}
	return n, err
}

func (b *Body) failed(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return b.life.Failed(err)
}

// Closed reports whether its reader has closed the body, or is about to: what a Read says then is not the peer's doing.
func (b *Body) Closed() bool { return b.closed.Load() }

// Close closes the body.
func (b *Body) Close() error {
	b.closed.Store(true)
	err := b.rc.Close()
	b.end()
	return err
}

func (b *Body) end() {
	if !b.over.Swap(true) {
		b.life.Over()
	}
}

// upgraded is the body of a connection that has switched protocols: its owner writes to it through the body. That one
// direction has ended does not end it.
type upgraded struct {
	*Body

	rwc io.ReadWriteCloser
}

func (u *upgraded) Read(p []byte) (int, error) {
	n, err := u.rwc.Read(p)
	return n, u.moved(n, err)
}

func (u *upgraded) Write(p []byte) (int, error) {
	n, err := u.rwc.Write(p)
	return n, u.moved(n, err)
}

func (u *upgraded) moved(n int, err error) error {
	if u.watched && n > 0 {
		u.life.Moved()
	}
	return u.failed(err)
}

// CloseWrite ends the sending direction where the connection can do that.
func (u *upgraded) CloseWrite() error {
	if cw, ok := u.rwc.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return http.ErrNotSupported
}
