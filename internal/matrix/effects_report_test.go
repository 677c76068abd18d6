package matrix

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
)

// failing is a source that never has anything to say.
type failing struct{}

func (failing) Watch(context.Context, string, func(discovery.Update)) error {
	return errors.New("matrix: the registry is away")
}

// TestClientLogger shows that the Config's logger hears of trouble, once, and the process's does not.
func TestClientLogger(t *testing.T) {
	onEachColumn(t, func(w *world) {
		cl := w.newClient(client.Config{Discovery: failing{}, Hosts: []string{"orders"}, Logger: w.logger()})
		caller := w.meshCaller(cl)
		for range 3 { // the source is asked again and again meanwhile
			if a := w.column.call(marked(), caller); a.Status == http.StatusAccepted || a.Err == "" && a.Code == codes.OK {
				w.t.Errorf("got %+v", a)
			}
		}
		want := []string{"WARN intramesh: discovery failed, the last endpoints hold"}
		if d := cmp.Diff(want, w.own.heard()); d != "" {
			w.t.Errorf("the Config's logger heard (-want +got):\n%s", d)
		}
		if lines := w.logs.heard(); len(lines) > 0 {
			w.t.Errorf("the process's logger heard %q", lines)
		}
	}, h1, h2, overGRPC)
}

// TestInfo shows what a call is told about itself, with and without a source.
func TestInfo(t *testing.T) {
	for _, wi := range bothClients {
		t.Run(wi.name, func(t *testing.T) {
			onEachColumn(t, func(w *world) {
				var info client.Info
				k := cell{t: t, row: &row{options: &client.Options{Info: &info}}, column: w.column, scenario: answered, wiring: wi}
				k.call(wi.build(w, k))
				if info.Service != "orders" || len(info.Attempts) != 1 {
					w.t.Errorf("got %+v", info)
				}
				if wi.name == meshed.name && info.Endpoint != peerAddr {
					w.t.Errorf("the endpoint that answered is %q", info.Endpoint)
				}
			}, h1, h2, overGRPC)
		})
	}
}
