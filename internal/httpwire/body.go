package httpwire

import (
	"io"
	"net/http"
	"sync/atomic"
)

// Lifetime is told of the life of a response's body.
type Lifetime interface {
	// Moved is called after each read or write that moved something, if Watched says so.
	Moved()
	// Over is called exactly once, when the body has been read to its end, has failed or has been closed.
	Over()
}

// Body is a response body that tells when it moves and when it is over.
type Body struct {
	rc      io.ReadCloser
	life    Lifetime
	watched bool
	over    atomic.Bool
}

// Attach puts b between resp's body and its reader. With watched, life hears of every move. A response without a body
// is over at once.
func (b *Body) Attach(resp *http.Response, life Lifetime, watched bool) {
	b.rc, b.life, b.watched = resp.Body, life, watched
	if rwc, ok := resp.Body.(io.ReadWriteCloser); ok && resp.StatusCode == http.StatusSwitchingProtocols {
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

// Read hands bytes on, and tells the call that it is alive.
func (b *Body) Read(p []byte) (int, error) {
	n, err := b.rc.Read(p)
	if b.watched && n > 0 {
		b.life.Moved()
	}
	if err != nil {
		b.end()
	}
	return n, err
}

// Close closes the body.
func (b *Body) Close() error {
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
	if u.watched && n > 0 {
		u.life.Moved()
	}
	return n, err
}

func (u *upgraded) Write(p []byte) (int, error) {
	n, err := u.rwc.Write(p)
	if u.watched && n > 0 {
		u.life.Moved()
	}
	return n, err
}

// CloseWrite ends the sending direction where the connection can do that.
func (u *upgraded) CloseWrite() error {
	if cw, ok := u.rwc.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return http.ErrNotSupported
}
