package matrix

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/clientgrpc"
)

// TestRegisterProtocol shows the smallest adoption over HTTP, one line in a program whose transport stays as it is: what
// goes to mesh:// arrives like any other request, and what goes to http:// has nothing to do with the mesh.
func TestRegisterProtocol(t *testing.T) {
	onEachColumn(t, func(w *world) {
		mesh, base := w.peer(peerAddr, answers, wrapping{}), w.peer("orders:80", answers, wrapping{})
		cl := w.newClient(client.Config{Discovery: orders(peerAddr), Dial: dialling(w)})
		tr := w.transport("")
		tr.RegisterProtocol("mesh", cl.Transport(nil))
		for _, scheme := range []string{"mesh", "http"} {
			req, err := http.NewRequestWithContext(marked(), http.MethodGet, scheme+"://orders/v1?q=1", nil)
			if err != nil {
				w.t.Fatal(err)
			}
			resp, err := (&http.Client{Transport: tr}).Do(req)
			if err != nil {
				w.t.Fatal(err)
			}
			if a := hear(resp, func() {}); a.Status != http.StatusAccepted || len(a.Body) != 1 {
				w.t.Errorf("%s: got %+v", scheme, a)
			}
			_ = resp.Body.Close()
		}
		seen, _ := mesh.saw()
		want, _ := base.saw()
		if d := cmp.Diff(want, seen); d != "" || len(seen) != 1 {
			w.t.Errorf("requests (-http +mesh):\n%s", d)
		}
	}, h1)
}

// TestResolverOfTheCaller shows that Interceptors leave the way to the peer to grpc's own resolver and balancer, and its
// name to the target.
func TestResolverOfTheCaller(t *testing.T) {
	onEachColumn(t, func(w *world) {
		p := w.peer(peerAddr, answers, wrapping{})
		opts := append([]grpc.DialOption{w.dialer("")}, clientgrpc.Interceptors(w.newClient(client.Config{}))...)
		plain := w.column.call(marked(), &caller{cc: w.connect("dns:///"+peerAddr, w.dialer(""))})
		mesh := w.column.call(marked(), &caller{cc: w.connect("dns:///"+peerAddr, opts...)})
		if d := cmp.Diff(plain, mesh); d != "" {
			w.t.Errorf("the answer (-plain +mesh):\n%s", d)
		}
		if seen, _ := p.saw(); len(seen) != 2 || !cmp.Equal(seen[0], seen[1]) || seen[1].Authority != peerAddr {
			w.t.Errorf("the peer saw %+v", seen)
		}
	}, overGRPC)
}
