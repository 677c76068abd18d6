// Package intramesh is a service mesh that you go get: a library in place of a proxy.
//
// Services import it and wrap the HTTP and gRPC clients and servers that they have already. Discovery, load balancing,
// deadlines, safe retries, circuit breaking, mutual TLS, authorization and tracing then happen inside the process, by one
// policy for both protocols. There is no proxy process, no agent and no injected container. This package holds no code: it
// is the map.
//
//	c, err := client.New(client.Config{
//		Discovery:  discovery.Static{"orders": {{Addr: "127.0.0.1:8080"}, {Addr: "127.0.0.1:8081"}}},
//		Resilience: resilience.Config{Default: resilience.Standard()},
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer c.Close()
//
//	hc := &http.Client{Transport: c.Transport(nil)}
//	resp, err := hc.Get("mesh://orders/v1/orders/7")
//
// # Where each capability lives
//
// To call:
//
//   - [github.com/intramesh/intramesh/client] calls services over HTTP: the Client and its Config, Transport, Error, and
//     Info, which tells what happened to one call. It never links grpc.
//   - [github.com/intramesh/intramesh/client/clientgrpc] does the same for grpc-go, with the same Client.
//
// To be called:
//
//   - [github.com/intramesh/intramesh/server] takes requests over HTTP: who may ask for what, deadlines that arrive with a
//     request, recovery from panics, Register, which announces the server in a registry, and Drain, which ends a process
//     without losing a request. It never links grpc.
//   - [github.com/intramesh/intramesh/server/servergrpc] does the same for grpc-go, with the same Server.
//
// What these work with. Each is a field of a Config, and each stands alone:
//
//   - [github.com/intramesh/intramesh/discovery] says where services are: Static, File, DNS and Merge, and the Source
//     interface for everything else. [github.com/intramesh/intramesh/discovery/discoverytest] checks a Source of your own.
//   - [github.com/intramesh/intramesh/discovery/consul] is Consul as the registry, to find services and to register them.
//   - [github.com/intramesh/intramesh/discovery/manifest] reads endpoints and policy from the YAML of Istio, the Gateway API and
//     Kubernetes, in files that may change at any time.
//   - [github.com/intramesh/intramesh/discovery/balance] chooses among the endpoints of a service.
//   - [github.com/intramesh/intramesh/client/traffic] says where calls go and how each destination is treated: routes, splits,
//     rewrites, mirrors, faults, subsets. It is data, and changes while a process runs.
//   - [github.com/intramesh/intramesh/resilience] keeps calls alive and does no harm while at it: time limits, retries, the
//     budget that bounds them, back-off, circuit breakers, outlier detection. Its Do is useful without the rest of the mesh.
//   - [github.com/intramesh/intramesh/security] is who calls, and whether they may: identities from files, mutual TLS, and
//     the rules of authorization. [github.com/intramesh/intramesh/security/ca] issues identities on a laptop and in tests.
//   - [github.com/intramesh/intramesh/telemetry] makes OpenTelemetry traces and metrics of all that, and carries traces from
//     process to process. It links the API, never an SDK.
//
// Below internal, package stack holds the call path: client.go and server.go there are the order in which all this acts,
// each with the reasons. The examples directory answers one question a directory; quickstart is the one to begin with.
// How to test a service of your own is shown by the Examples of this package.
//
// # Words
//
// A service is what a caller names; a destination is the service as one client knows it, with its policy and state; an
// endpoint is an address where the service can be reached; a source says which endpoints there are. A call is what the
// caller makes, and one or more attempts are made of it, each at one endpoint. A request is what arrives at a server. An
// identity is who a process is, by its certificate; a peer is the identity at the other end of a connection.
//
// # What a library cannot do
//
// It acts on what goes through it. Code in the same process that opens its own connections is not balanced, retried,
// counted, encrypted or checked, and nothing here can hold it back: where that matters, the network's own rules must. The process holds its own key, so whoever controls the process has its identity. Services in other languages are
// reached like any other server and get nothing from the mesh for themselves.
package intramesh
