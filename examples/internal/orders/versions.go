package orders

import (
	"strings"

	"github.com/intramesh/intramesh/discovery"
)

// Versions lists servers whose names are their versions, "v1": as the endpoints of orders with a label, by which subsets are
// chosen, and each as a service of its own, "orders-v1" with the port 80, which is how the Gateway API knows versions.
func Versions(servers ...*Server) discovery.Static {
	all := discovery.Static{}
	for _, s := range servers {
		e := discovery.Endpoint{Addr: s.Addr, Metadata: map[string]string{"version": strings.TrimPrefix(s.Name, "v")}}
		all["orders"] = append(all["orders"], e)
		all["orders-"+s.Name+":80"] = []discovery.Endpoint{e}
	}
	return all
}
