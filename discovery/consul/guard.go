package consul

import (
	"errors"
	"io"
	"net/http"
	"strings"
)

// An answer is cut off above maxAnswer, some 100,000 instances, and the text of an error above maxError.
const (
	maxAnswer = 256 << 20
	maxError  = 4 << 10
)

var (
	errForeign = errors.New("the answer is not Consul's: it has no X-Consul-Index")
	errLong    = errors.New("the answer is longer than 256 MiB")
)

// guard is between the API's client and the network. The client reads whatever it is given and takes an empty JSON for an
// empty service, so what does not come from Consul, such as the page of a proxy, must not get that far. It also reads each
// instance anew in each answer; an answer for a [decoder] is read here, and the client gets an empty list in its place.
type guard struct{ base http.RoundTripper }

func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := g.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	limit, over := int64(maxAnswer), errLong
	if resp.StatusCode != http.StatusOK {
		limit, over = maxError, io.EOF
	} else if strings.Contains(req.URL.Path, "/v1/health/") && resp.Header.Get("X-Consul-Index") == "" {
		resp.Body.Close()
		return nil, errForeign
	}
	resp.Body = &limited{ReadCloser: resp.Body, left: limit, over: over}
	if d := decoderOf(req.Context()); d != nil && resp.StatusCode == http.StatusOK {
		err := d.read(resp.Body)
		resp.Body.Close()
		if err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(strings.NewReader("[]"))
	}
	return resp, nil
}

// limited is a body that ends with an error when it is too long.
type limited struct {
	io.ReadCloser
	left int64
	over error
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, l.over
	}
	n, err := l.ReadCloser.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}
