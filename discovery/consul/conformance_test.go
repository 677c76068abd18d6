package consul

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/discoverytest"
	"github.com/intramesh/intramesh/internal/consultest"
)

// TestConforms judges the source over a real server.
func TestConforms(t *testing.T) {
	s := consultest.Start(t, consultest.Config{Durable: true})
	discoverytest.Run(t, discoverytest.Harness{
		Patience: recovery + 30*time.Second, // what was lost while Consul was away is held so long
		Open: func(t *testing.T, content discoverytest.Content) discoverytest.Registry {
			c := &catalog{t: t, api: s.Client()}
			t.Cleanup(func() {
				for service := range c.names() {
					c.remove(service)
				}
			})
			for service, endpoints := range content {
				c.set(service, endpoints)
			}
			return discoverytest.Registry{
				Source:  newPlane(t, Config{Address: s.Addr()}),
				Set:     c.set,
				Remove:  c.remove,
				Fail:    s.Stop,
				Recover: s.Start,
			}
		},
	})
}

// catalog writes instances into Consul that no agent looks after, on a node of their own.
type catalog struct {
	t   *testing.T
	api *api.Client
}

const externalNode = "external"

// set makes these the instances of a service. Without any there is one that is down, so that the service is known.
func (c *catalog) set(service string, endpoints []discovery.Endpoint) {
	c.t.Helper()
	want := map[string]bool{}
	var ops api.TxnOps
	if len(endpoints) == 0 {
		want[service+"-down"] = true
		ops = append(ops, c.op(api.ServiceSet, api.AgentService{ID: service + "-down", Service: service, Address: "10.8.0.1", Port: 1}),
			&api.TxnOp{Check: &api.CheckTxnOp{Verb: api.CheckSet, Check: api.HealthCheck{Node: externalNode, CheckID: service + "-down",
				ServiceID: service + "-down", Status: api.HealthCritical}}})
	}
	for _, e := range endpoints {
		in := instance(service, e)
		want[in.ID] = true
		if in.Locality == nil {
			ops = append(ops, c.op(api.ServiceSet, in))
		} else if _, err := c.api.Catalog().Register(&api.CatalogRegistration{Node: externalNode, Address: "10.8.0.1", Service: &in}, nil); err != nil {
			c.t.Fatal(err) // a transaction would lose the locality
		}
	}
	for _, id := range c.ids(service) {
		if !want[id] {
			ops = append(ops, c.op(api.ServiceDelete, api.AgentService{ID: id, Service: service}))
		}
	}
	c.do(ops)
}

// instance is an endpoint as Registrar would write it.
func instance(name string, e discovery.Endpoint) api.AgentService {
	r, err := service(discovery.Registration{Service: name, Endpoint: e})
	if err != nil {
		panic(err)
	}
	return api.AgentService{ID: r.ID, Service: r.Name, Tags: r.Tags, Address: r.Address, Port: r.Port, Meta: r.Meta,
		Weights: *r.Weights, Locality: r.Locality}
}

func (c *catalog) remove(service string) {
	c.t.Helper()
	var ops api.TxnOps
	for _, id := range c.ids(service) {
		ops = append(ops, c.op(api.ServiceDelete, api.AgentService{ID: id, Service: service}))
	}
	c.do(ops)
}

func (c *catalog) op(verb api.ServiceOp, s api.AgentService) *api.TxnOp {
	return &api.TxnOp{Service: &api.ServiceTxnOp{Verb: verb, Node: externalNode, Service: s}}
}

// do runs operations, as many at a time as Consul takes.
func (c *catalog) do(ops api.TxnOps) {
	c.t.Helper()
	const most = 128
	if _, err := c.api.Catalog().Register(&api.CatalogRegistration{Node: externalNode, Address: "10.8.0.1"}, nil); err != nil {
		c.t.Fatal(err)
	}
	for len(ops) > 0 {
		n := min(most, len(ops))
		ok, resp, _, err := c.api.Txn().Txn(ops[:n], nil)
		if err != nil || !ok {
			c.t.Fatalf("write to the catalog: %v %+v", err, resp.Errors[0])
		}
		ops = ops[n:]
	}
}

func (c *catalog) ids(service string) []string {
	c.t.Helper()
	all, _, err := c.api.Catalog().Service(service, "", &api.QueryOptions{RequireConsistent: true})
	if err != nil {
		c.t.Fatal(err)
	}
	var ids []string
	for _, s := range all {
		ids = append(ids, s.ServiceID)
	}
	return ids
}

func (c *catalog) names() map[string][]string {
	all, _, err := c.api.Catalog().Services(&api.QueryOptions{RequireConsistent: true})
	if err != nil {
		c.t.Error(err)
	}
	for name := range all {
		if strings.HasPrefix(name, "consul") {
			delete(all, name)
		}
	}
	return all
}
