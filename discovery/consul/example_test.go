package consul_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/consul"
)

// agent answers as a Consul agent does that knows of one instance.
func agent(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Consul-Index", "7")
	w.Header().Set("X-Consul-KnownLeader", "true")
	fmt.Fprint(w, `[{"Service": {"Service": "orders", "Address": "10.0.0.7", "Port": 8080, "Tags": ["v2"], "Meta": {"team": "shop"}}}]`)
}

func ExampleNew() {
	srv := httptest.NewServer(http.HandlerFunc(agent)) // in earnest: the agent on this host, by leaving Address empty
	defer srv.Close()
	plane, err := consul.New(consul.Config{
		Address:  srv.URL,
		Services: map[string]consul.Query{"orders-v2": {Service: "orders", Tags: []string{"v2"}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer plane.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err = plane.Watch(ctx, "orders-v2", func(u discovery.Update) {
		for _, e := range u.Endpoints {
			fmt.Println(u.Kind, e.Addr, e.Metadata)
		}
		cancel()
	})
	fmt.Println(err)
	// Output:
	// set 10.0.0.7:8080 map[team:shop v2:true]
	// <nil>
}

// What serves by other means than a server.Server, whose method Register does all of this, registers, drains and leaves.
func ExamplePlane_Register() {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
	}))
	defer srv.Close()
	plane, err := consul.New(consul.Config{Address: srv.URL}) // in earnest: the agent on this host, by leaving it empty
	if err != nil {
		fmt.Println(err)
		return
	}
	defer plane.Close()

	ctx := context.Background()
	lease, err := plane.Register(ctx, discovery.Registration{
		Service:  "orders",
		Endpoint: discovery.Endpoint{Addr: "10.0.0.7:8080"},
		Checks:   []discovery.Check{{GRPC: "10.0.0.7:8080", Interval: 5 * time.Second}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(lease.Drain(ctx)) // when it is to end: nobody new is sent to it
	fmt.Println(lease.Leave(ctx)) // when it has ended
	// Output:
	// PUT /v1/agent/service/register
	// PUT /v1/agent/service/maintenance/orders-10.0.0.7:8080
	// <nil>
	// PUT /v1/agent/service/deregister/orders-10.0.0.7:8080
	// <nil>
}
