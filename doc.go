// Package intramesh is a service mesh that you go get: a library in place of a proxy.
//
// Services import it and wrap the HTTP and gRPC clients and servers that they have already. Discovery, load balancing,
// deadlines and safe retries then happen inside the process, by one policy for both protocols. There is no proxy
// process, no agent and no injected container. This package holds no code: it is the map.
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
//   - [github.com/intramesh/intramesh/server] takes calls over HTTP: deadlines that arrive with a request, recovery from
//     panics, and Drain, which ends a process without losing a request.
//   - [github.com/intramesh/intramesh/server/servergrpc] does the same for grpc-go, with the same Server.
//
// What both work with:
//
//   - [github.com/intramesh/intramesh/discovery] says where services are: Static, File and DNS, and the Source interface
//     for everything else. [github.com/intramesh/intramesh/discovery/discoverytest] checks a Source of your own.
//   - [github.com/intramesh/intramesh/discovery/balance] chooses among the endpoints of a service.
//   - [github.com/intramesh/intramesh/resilience] keeps calls alive and does no harm while at it: time limits, retries,
//     the budget that bounds them, back-off. Its Do is useful without the rest of the mesh.
//   - [github.com/intramesh/intramesh/telemetry] makes OpenTelemetry traces and metrics of all that, and carries traces from
//     process to process. It links the API, never an SDK.
//
// Below internal, package stack holds the call path: client.go and server.go there are the order in which all this acts,
// each with the reasons. The examples directory answers one question a directory; quickstart is the one to begin with.
//
// # What a library cannot do
//
// It acts on what goes through it. Code in the same process that opens its own connections is neither balanced nor
// retried nor counted, and nothing here can hold it back: where that matters, the network's own rules must.
package intramesh
