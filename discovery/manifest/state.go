package manifest

import (
	"github.com/intramesh/intramesh/client/traffic"
)

// State is what manifests say, all together. It must not be changed.
type State struct {
	// Objects are the resources, in the order of files and lines.
	Objects []*Object
	// Policy says where requests go and how destinations are treated.
	Policy traffic.Policy

	policy       *traffic.Policy // the same one for states in a row whose policies say the same
	routes       []Origin
	destinations []Origin
	services     *registry
}

// Origin is the place in a manifest that something was made of.
type Origin struct {
	Object *Object
	// Field is the part of the object: "spec.http[0]". Empty: all of it.
	Field string
}

// RouteOrigin is what the i-th route of the policy was made of.
func (s *State) RouteOrigin(i int) Origin { return s.routes[i] }

// DestinationOrigin is what the i-th destination of the policy was made of. Object is nil where no manifest says so: where it
// follows from the location of a ServiceEntry, say.
func (s *State) DestinationOrigin(i int) Origin { return s.destinations[i] }

// Services lists the names under which services are known, each once and in ascending order: those of the own namespace in
// their short form too.
func (s *State) Services() []string { return sortedKeys(s.services.names) }
