package httpwire

import (
	"errors"
	"io"
	"net/http"
	"testing"
)

// slowClose is a body whose Close returns after the Read that it broke off has.
type slowClose struct{ closing, read chan struct{} }

func (s *slowClose) Read([]byte) (int, error) {
	<-s.closing
	return 0, errors.New("read on closed body")
}

func (s *slowClose) Close() error {
	close(s.closing)
	<-s.read
	return nil
}

// hearing is a Lifetime that notes whether a failure came after the reader's own Close.
type hearing struct {
	body   *Body
	closed []bool
}

func (h *hearing) Moved() {}
func (h *hearing) Over()  {}

func (h *hearing) Failed(err error) error {
	h.closed = append(h.closed, h.body.Closed())
	return err
}

// TestClosed: a Read that the reader's own Close ends fails after Closed says so.
func TestClosed(t *testing.T) {
	s := &slowClose{make(chan struct{}), make(chan struct{})}
	b := new(Body)
	h := &hearing{body: b}
	resp := &http.Response{StatusCode: http.StatusOK, Body: s}
	b.Attach(resp, h, false)
	if b.Closed() {
		t.Error("closed before anybody has")
	}
	go func() {
		_, _ = io.ReadAll(resp.Body)
		close(s.read)
	}()
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if len(h.closed) != 1 || !h.closed[0] {
		t.Errorf("%v", h.closed)
	}
}
