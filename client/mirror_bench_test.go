package client

import (
	"net/http"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
)

// BenchmarkMirror is what a mirror that takes nothing at all adds to a call.
func BenchmarkMirror(b *testing.B) {
	stub := &stubTransport{http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}}
	for name, mirrors := range map[string][]traffic.Mirror{"none": nil, "0": {{Service: "next"}}, "100": {{Service: "next", Percent: 100}}} {
		for _, body := range []string{"", strings.Repeat("x", 1000)} {
			b.Run(name+"/"+map[bool]string{true: "body", false: "empty"}[body != ""], func(b *testing.B) {
				c, err := New(Config{
					Discovery: discovery.Static{"orders": {{Addr: "127.0.0.1:1"}}, "next": {{Addr: "127.0.0.1:2"}}},
					WrapAttempt: func(http.RoundTripper) http.RoundTripper {
						return roundTripFunc(func(r *http.Request) (*http.Response, error) {
							if r.Body != nil {
								var room [512]byte
								for {
									if _, err := r.Body.Read(room[:]); err != nil {
										break
									}
								}
								r.Body.Close()
							}
							return stub.RoundTrip(r)
						})
					},
					Traffic: traffic.Policy{Routes: []traffic.Route{{Mirrors: mirrors}}},
				})
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				rt := c.Transport(nil)
				b.ReportAllocs()
				for b.Loop() {
					req, _ := http.NewRequest("PUT", "http://orders/", strings.NewReader(body))
					resp, err := rt.RoundTrip(req)
					if err != nil {
						b.Fatal(err)
					}
					resp.Body.Close()
				}
			})
		}
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
