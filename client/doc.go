// Package client calls services over HTTP. (Package clientgrpc, below it, does the same for gRPC with the same [Client].)
//
// A [Client] holds what all calls of a process share: where services are, the policy for calling them, and what was
// learnt about their endpoints. Make one, and wrap the clients that are there already:
//
//	c, err := client.New(client.Config{
//		Discovery:  discovery.Static{"orders": {{Addr: "127.0.0.1:8080"}, {Addr: "127.0.0.1:8081"}}},
//		Resilience: resilience.Config{Default: resilience.Standard()},
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer c.Close()
//	hc := &http.Client{Transport: c.Transport(nil)}
//	resp, err := hc.Get("mesh://orders/v1/orders/7")
//
// # What is a mesh call
//
// Configuration alone decides, never the state of a registry: URLs of the scheme mesh, hosts in [Config].Hosts, and the
// names that a static source lists. Such a call goes to an endpoint of the service or fails; it never falls back to the
// plain network. Everything else goes to the base transport untouched. Without Discovery every host is a destination of
// its own with one endpoint, reached by the base transport, and the rest of the mesh works all the same.
//
// The server sees the service's name as Host. Without [Config].Identity the scheme mesh stands for plain HTTP.
//
// # Routes
//
// [Config].Traffic says where mesh calls go, see package traffic: a call takes the policy of the moment in which it begins,
// whole, and keeps it. A route may lead to another service, or to a subset of one by the labels of its endpoints. A subset is
// a destination of its own, named "orders/v2" in [Info], metrics and the log, with its own load, ejections, breaker, budget
// and connections. The server still sees the host that was called, unless the route rewrites it. An answer that a route gives
// itself, a redirection among them, is a response over HTTP and a status over gRPC. A policy that cannot be honoured is an
// error of [New]; later the last good one stays in force, what is wrong is logged, and telemetry counts it.
//
// What belongs to a destination rather than to a call is of now for every attempt: its endpoints, how one is picked, and how
// connections to it are made and secured. A subset that a new policy does not have any more stays as it was for another
// minute, for the calls that are on their way there. Where a policy secures connections (traffic.TLS) that are the caller's
// own, as those of gRPC are without an Identity, calls are refused rather than sent otherwise.
//
// # Faults and mirrors
//
// A route can fail calls on purpose (traffic.Fault): above retries, where the caller meets the fault and nothing that keeps
// calls alive hears of it, or beneath them, where it is what an endpoint did. What is injected is marked in [Info], in an
// [Error] and in telemetry. And a route can send copies elsewhere (traffic.Mirror), out of the way of the calls, within
// traffic.MirrorLimits; [Client.Close] gives those under way up and waits for them.
//
// # Identity
//
// With [Config].Identity every connection to an endpoint is mutual TLS 1.3, whatever the scheme of the URL and over gRPC
// too. Each endpoint has to prove the identity that its source ([discovery.Endpoint].ID) or [Config].ServerID expects of it;
// host names play no part, and where nothing is expected nothing is connected to. Only a policy of [Config].Traffic that says
// so (traffic.TLS) makes a destination an exception. When the identity is renewed connections
// are replaced, and calls on the old ones go on to their end. Hosts that are not mesh calls keep the TLS of the base
// transport. See package security.
//
// # Attempts
//
// A call is one or more attempts. Which failures are followed by another attempt, and when, is the policy's matter, see
// package resilience; that the next attempt goes to another endpoint where there is one, the client's. The context of
// the request bounds the whole call, body included; its remaining time travels to the server as
// x-envoy-expected-rq-timeout-ms, and a second attempt carries its number as x-envoy-attempt-count. With
// [Config].Telemetry each attempt carries the trace, see package telemetry.
//
// What the server said is returned as it was said: after the last attempt a 503 is a response like any other. An [*Error]
// appears only where there is no response: it says why, for which service, at which endpoint and after how many attempts.
// To see what happened to a call that succeeded, ask for an [Info] by [With].
//
// # Connections
//
// Every endpoint has a transport of its own, so that a name that moves never leads to a connection that stays. Pass your
// own *http.Transport to [Client.Transport] to set limits, protocols (HTTP/2 without TLS by its Protocols) and, for
// clients without an identity, TLS.
package client
