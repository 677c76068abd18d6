package consul

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
)

// said is an answer, whatever is asked.
type said struct {
	status int
	header http.Header
	body   []byte
}

func (s *said) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Header: s.header.Clone(), Body: io.NopCloser(bytes.NewReader(s.body))}, nil
}

// FuzzAnswer gives a follower that knows of an instance any answer. It must never be in a hurry to ask again, and must
// not take for the end of the instance what Consul has not said.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{"[]", "null", "[null]", "{}", "<html>", "", instances("10.0.0.1"), instances("10.0.0.1", "10.0.0.2")[:90],
		`[{"Node": {"Datacenter": "dc1"}, "Service": {"Service": "orders", "Address": "10.0.0.1", "Port": 1, "Connect": {"Native": true}}}]`,
		`{"TrustDomain": "x.consul"}`} {
		f.Add(200, "9", "true", "", "", []byte(body))
	}
	f.Add(200, "9", "", "", "", []byte("[]"))
	f.Add(200, "1", "", "streaming", "", []byte("[]"))
	f.Add(200, "7", "true", "", "", []byte("[]"))
	f.Add(200, "", "true", "", "", []byte("[]"))
	f.Add(200, "-1", "true", "", "", []byte("[]"))
	f.Add(200, "9", "true", "", "true", []byte("[]"))
	f.Add(403, "9", "true", "", "", []byte("ACL not found"))
	f.Add(500, "9", "true", "", "", []byte("No cluster leader"))
	f.Fuzz(func(t *testing.T, status int, index, leader, backend, filtered string, body []byte) {
		answer := &said{status: status, body: body, header: http.Header{"X-Consul-Lastcontact": {"0"}, "X-Consul-Index": {index},
			"X-Consul-Knownleader": {leader}, "X-Consul-Query-Backend": {backend}, "X-Consul-Results-Filtered-By-Acls": {filtered}}}
		p := newPlane(t, Config{Address: "127.0.0.1:1"})
		var err error
		p.api, err = api.NewClient(&api.Config{HttpClient: &http.Client{Transport: guard{answer}}})
		if err != nil {
			t.Fatal(err)
		}
		known := (&state{}).answer([]discovery.Endpoint{at("10.0.0.1:80")}, false)
		w := newFollower(p, question{service: "orders"})
		w.index = 7
		w.state.Store(known)
		if pause := w.ask(t.Context()); pause < minPause {
			t.Errorf("the next question follows after %v", pause)
		}
		now := w.state.Load()
		for _, e := range now.set {
			if err := e.Validate(); err != nil {
				t.Error(err)
			}
		}
		if n, err := strconv.ParseUint(index, 10, 64); w.index != 0 && (err != nil || w.index != n) {
			t.Errorf("after the index %q it goes on from %d", index, w.index)
		}
		if now.absent && (status != 200 || index == "" || filtered == "true" || leader != "true" && backend != "streaming") {
			t.Error("the instance was taken away")
		}
		if now.err != nil && len(now.set) == 0 {
			t.Errorf("after %v there is %v", now.err, now.set)
		}
	})
}
