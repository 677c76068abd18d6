package matrix

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"time"
)

// url is that of the service.
func (c *caller) url() string {
	if c.tls {
		return "https://orders/v1?q=1"
	}
	return "http://orders/v1?q=1"
}

// introduce writes the caller's own headers.
func (c *caller) introduce(h http.Header) {
	h["X-Caller"] = []string{"me", "myself"}
	if c.told {
		h.Set(deadlineHeader, "5000")
	}
}

// get is an HTTP call without a body.
func get(ctx context.Context, c *caller) answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(), nil)
	if err != nil {
		panic(err)
	}
	c.introduce(req.Header)
	resp, err := c.rt.RoundTrip(req)
	if err != nil {
		return answer{Err: word(err)}
	}
	defer resp.Body.Close()
	return hear(resp, func() {})
}

// hear reads an answer line by line.
func hear(resp *http.Response, heard func()) answer {
	a := ofHTTP(resp)
	in := bufio.NewScanner(resp.Body)
	for in.Scan() {
		a.Body = append(a.Body, in.Text())
		heard()
	}
	a.Trailer, a.Err = resp.Trailer, word(in.Err())
	return a
}

// talk is an HTTP call whose bodies stream in both directions. Its body cannot be had again from anywhere, because there
// is no GetBody.
func talk(ctx context.Context, c *caller) answer {
	body, mouth := io.Pipe()
	heard := make(chan struct{}, len(words))
	defer close(heard)
	go speak(mouth, heard)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url(), body)
	if err != nil {
		panic(err)
	}
	c.introduce(req.Header)
	resp, err := c.rt.RoundTrip(req)
	if err != nil {
		return answer{Err: word(err)}
	}
	defer resp.Body.Close()
	return hear(resp, func() { heard <- struct{}{} })
}

// patience is how long the words of a streaming body wait for an answer to the one before. As long as a body does not move,
// the HTTP/1.1 transport of net/http does not say that a connection is broken, so there has to be an end to it.
const patience = 300 * time.Millisecond

// speak says a word when the one before has been answered, or when its patience is over.
func speak(mouth *io.PipeWriter, heard <-chan struct{}) {
	defer mouth.Close()
	for i, w := range words {
		if i > 0 {
			select {
			case <-heard:
			case <-time.After(patience):
			}
		}
		if _, err := io.WriteString(mouth, w+"\n"); err != nil {
			return
		}
	}
}
