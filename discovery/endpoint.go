package discovery

// Endpoint is one place where a service can be reached.
type Endpoint struct {
	// Addr is "host:port" with a numeric or resolvable host, or "unix:/path". It is the endpoint's key: within a
	// service no two endpoints have the same.
	Addr string
	// Zone, Region and SubZone say where it runs, in the terms of whoever runs it: a SubZone is a part of a Zone, a rack
	// perhaps, and a Zone of a Region. Empty: not known.
	Zone    string
	Region  string
	SubZone string
	// Weight is its share of the traffic in proportion to the others. 0 means 1.
	Weight uint32
	// Metadata are labels for choosing subsets and for telemetry. It must not be changed after it was handed over.
	Metadata map[string]string
	// ID is the identity that the endpoint must prove, as a SPIFFE ID. Empty: the source does not say.
	ID string
}

// Share is the weight with its default applied.
func (e Endpoint) Share() uint32 {
	if e.Weight == 0 {
		return 1
	}
	return e.Weight
}
