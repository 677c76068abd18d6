// Command failover calls a service in two zones: the near one as long as enough of it is well, both when it is not, and the
// far one when nothing else is left. See README.md.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/examples/internal/orders"
	"github.com/intramesh/intramesh/examples/internal/plane"
	"github.com/intramesh/intramesh/resilience"
)

func main() { plane.Main("failover", run) }

// here is where this program runs, in the words in which the registry describes endpoints.
var here = traffic.Local{Region: "north", Zone: "north-1"}

// policy prefers what is near, and takes out who does not answer. An ejection of a second suits an example; 30 s are usual.
func policy() traffic.Policy {
	return traffic.Policy{Destinations: []traffic.Destination{{
		Service: "orders",
		Settings: traffic.Settings{
			Locality: &traffic.Locality{}, // the same subzone, zone, region, then all others
			Resilience: resilience.Policy{
				Retry: &resilience.Retry{Retries: near},
				Outlier: &resilience.Outlier{
					Consecutive5xx: 1, MaxPercent: 100, BaseEjection: time.Second, MaxEjection: time.Second,
				},
			},
		},
	}}}
}

// near and far are how many instances there are in the two zones.
const near, far = 7, 3

func run(out io.Writer, mesh string) error {
	where, end, err := plane.Open(mesh, policy())
	if err != nil {
		return err
	}
	defer end()
	s := &show{out: out, health: newHealth()}
	defer s.close()
	var endpoints []discovery.Endpoint
	for i := range near + far {
		zone := "north-1"
		if i >= near {
			zone = "north-2"
		}
		server, err := orders.Listen(orders.Config{Name: zone})
		if err != nil {
			return err
		}
		s.servers = append(s.servers, server)
		endpoints = append(endpoints, discovery.Endpoint{Addr: server.Addr, Region: "north", Zone: zone})
	}
	c, err := client.New(client.Config{
		Discovery: discovery.Static{"orders": endpoints},
		Traffic:   where,
		Local:     here,
		Logger:    slog.New(s.health),
	})
	if err != nil {
		return err
	}
	defer c.Close()
	if s.orders, err = orders.Dial(c); err != nil {
		return err
	}
	defer s.orders.Close()
	text, err := json.MarshalIndent(where.Policy(), "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n", text)
	return s.run()
}
