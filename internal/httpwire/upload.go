package httpwire

import "io"

// Upload is a request body that tells when it moves: the wait for a reply begins when the request has been sent, and a
// large one may take longer than any reply should.
type Upload struct {
	io.ReadCloser

	moved func()
}

// NewUpload calls moved after each read that gave something.
func NewUpload(body io.ReadCloser, moved func()) *Upload { return &Upload{body, moved} }

func (u *Upload) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if n > 0 {
		u.moved()
	}
	return n, err
}
