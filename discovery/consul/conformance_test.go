package consul

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/discoverytest"
	"github.com/intramesh/intramesh/internal/consultest"
)

// TestConforms judges the source over a real server.
func TestConforms(t *testing.T) {
	s := consultest.Start(t, consultest.Config{Durable: true})
	discoverytest.Run(t, discoverytest.Harness{
		Patience: recovery + patience, // what was lost while Consul was away is held so long
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

// catalog writes instances into Consul that no agent looks after, on a node of their own. Whatever it does it tries again
// where it does not succeed, since servers may elect another leader at any time.
type catalog struct {
	t   *testing.T
	api *api.Client
}

const externalNode = "external"

// persist tries until it succeeds.
func (c *catalog) persist(what string, try func() error) {
	c.t.Helper()
	said := ""
	eventually(c.t, what, func() bool {
		err := try()
		if err != nil && err.Error() != said {
			said = err.Error()
			c.t.Logf("%s: %s", what, said)
		}
		return err == nil
	})
}

func (c *catalog) register(s *api.AgentService) {
	c.t.Helper()
	c.persist("a registration", func() error {
		_, err := c.api.Catalog().Register(&api.CatalogRegistration{Node: externalNode, Address: "10.8.0.1", Service: s}, nil)
		return err
	})
}

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
		} else {
			c.register(&in) // a transaction would lose the locality
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
	c.register(nil)
	for some := range slices.Chunk(ops, most) {
		c.persist("a transaction", func() error {
			ok, resp, _, err := c.api.Txn().Txn(some, nil)
			if err == nil && !ok {
				err = errors.New(resp.Errors[0].What)
			}
			return err
		})
	}
}

func (c *catalog) ids(service string) []string {
	c.t.Helper()
	var ids []string
	c.persist("the instances", func() error {
		all, _, err := c.api.Catalog().Service(service, "", &api.QueryOptions{RequireConsistent: true})
		for _, s := range all {
			ids = append(ids, s.ServiceID)
		}
		return err
	})
	return ids
}

func (c *catalog) names() map[string][]string {
	var all map[string][]string
	c.persist("the services", func() (err error) {
		all, _, err = c.api.Catalog().Services(&api.QueryOptions{RequireConsistent: true})
		return err
	})
	for name := range all {
		if strings.HasPrefix(name, "consul") {
			delete(all, name)
		}
	}
	return all
}
