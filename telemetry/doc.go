// Package telemetry makes OpenTelemetry traces and metrics of the calls that a client makes and the requests that a
// server serves, and carries traces from one process to the next.
//
//	tel, err := telemetry.New(telemetry.Config{
//		TracerProvider: otel.GetTracerProvider(),
//		MeterProvider:  otel.GetMeterProvider(),
//		Sample:         new(0.01),
//	})
//	c, err := client.New(client.Config{Telemetry: tel})
//	s, err := server.New(server.Config{Telemetry: tel})
//
// It uses the API of OpenTelemetry only. Which SDK and exporter there are is the program's choice, and a provider that is
// left nil is off: the global ones are never taken silently. Give the SDK's batching processors and periodic readers; they
// drop what a slow or absent collector does not take, so it neither slows nor fails a call. (A synchronous span processor
// does wait.)
//
// Names and values follow the semantic conventions of version 1.43.0, see [SemConv]; what they do not cover is called
// intramesh.*.
//
// # What to remove
//
// Remove otelgrpc's stats handlers and interceptors and otelhttp's Transport and Handler from clients and servers that
// have this: both would make spans and durations, under names of older conventions too, and otelgrpc's handlers alone cost
// more than all that is here. Remove a TextMapPropagator that your own code calls on these requests as well. It does no
// harm to leave them in for a while: spans then stand one inside the other. Global propagators are not consulted.
//
// # Spans
//
// A call of a client is a span of kind client, named by the HTTP method ("GET") or the gRPC method
// ("shop.Orders/Place"), and each of its attempts is one beneath it, of kind client too, with " attempt" behind the name;
// it is the parent of the server's. A request served is a span of kind server, named by method and route
// ("GET /orders/{id}") or the gRPC method. A span is made only where it is recorded: one question to the provider a call,
// none where Config.Sample or the caller has decided. What is not recorded is passed on nevertheless, with the caller's own
// span as the parent, and the beginning of a trace that is not recorded gets a name, so that all that follows knows.
//
// The span of a call lasts until its body or stream is over, as otelhttp's does, and that of an attempt likewise. A
// failed operation has the status Error and error.type; errors are recorded as events.
//
//	span      attributes
//	call      http.request.method, http.request.method_original, url.full, http.response.status_code; rpc.system.name, rpc.method, rpc.method_original, rpc.response.status_code; server.address, server.port, error.type, intramesh.outcome, intramesh.attempts, intramesh.endpoint, intramesh.peer, intramesh.route, intramesh.destination, intramesh.fault, intramesh.mirror
//	attempt   http.request.method, http.request.resend_count, url.full, http.response.status_code; rpc.system.name, rpc.method, rpc.response.status_code; server.address, server.port, network.peer.address, network.peer.port, error.type, intramesh.outcome, intramesh.attempt, intramesh.fault
//	request   http.request.method, http.request.method_original, http.route, http.response.status_code, url.scheme, url.path, url.query; rpc.system.name, rpc.method, rpc.method_original, rpc.response.status_code; server.address, server.port, client.address, network.peer.address, network.peer.port, network.protocol.version, user_agent.original, error.type, intramesh.outcome, intramesh.peer
//
// Events of a call's span: intramesh.retry with intramesh.attempt; intramesh.breaker_opened, _half_open and _closed,
// intramesh.endpoint_ejected, _readmitted and _suspected, intramesh.panic_entered and _left with intramesh.reason, when they happen
// during the call; intramesh.fault with intramesh.fault, and intramesh.attempt
// where it is a matter of one.
//
// A call that matched a route of client.Config.Traffic has its name as intramesh.route, in spans. Where the route sent it to
// another service or to a subset, intramesh.destination says to which ("orders/v2"), on spans and durations; server.address
// is what was called.
//
// What a route injects on purpose is marked, so that nobody takes it for a failure: intramesh.fault, on spans and on the
// durations of the calls that had it, is "delay", "abort", "corrupt", "truncate", "reset" or "slow", or several of them in
// this order with commas between; without a fault the attribute is not there. The copy of a call that a mirror gets has a
// span of its own beneath that of the call, with intramesh.mirror.
//
// # Metrics
//
// The durations are also the counts: a histogram has one. intramesh.outcome is "success", "failure", "busy", "refused"
// (certainly not executed) or "canceled", the same judgement that retries and breakers go by; error.type is the status, the
// code, or the reason of a client.Error. A client's duration lasts until the caller has a reply: response headers, or the
// message of a unary gRPC call. The conventions have it so, because a body lasts for as long as its reader likes, and may
// never be read to its end. A stream is measured, and its outcome known, when it is over. A server's lasts until the
// handler is done.
//
//	metric                             unit         attributes
//	http.client.request.duration       s            http.request.method, http.response.status_code, server.address, server.port, error.type, intramesh.outcome, intramesh.peer, intramesh.destination, intramesh.fault
//	http.client.active_requests        {request}    http.request.method, server.address, server.port
//	rpc.client.call.duration           s            rpc.system.name, rpc.method, rpc.response.status_code, server.address, server.port, error.type, intramesh.outcome, intramesh.peer, intramesh.destination, intramesh.fault
//	intramesh.rpc.client.active_calls  {call}       rpc.system.name, rpc.method, server.address, server.port
//	http.server.request.duration       s            http.request.method, http.response.status_code, http.route, url.scheme, error.type, intramesh.outcome, intramesh.peer
//	http.server.active_requests        {request}    http.request.method, url.scheme
//	rpc.server.call.duration           s            rpc.system.name, rpc.method, rpc.response.status_code, error.type, intramesh.outcome, intramesh.peer
//	intramesh.rpc.server.active_calls  {call}       rpc.system.name, rpc.method
//	intramesh.client.retries           {retry}      http.request.method, rpc.system.name, rpc.method, server.address, server.port
//	intramesh.client.budget_exhausted  {call}       http.request.method, rpc.system.name, rpc.method, server.address, server.port
//	intramesh.client.refusals          {call}       http.request.method, rpc.system.name, rpc.method, server.address, server.port, intramesh.reason
//	intramesh.client.faults            {fault}      http.request.method, rpc.system.name, rpc.method, server.address, server.port, intramesh.fault
//	intramesh.client.mirrors           {call}       http.request.method, rpc.system.name, rpc.method, server.address, server.port, intramesh.outcome, intramesh.reason
//	intramesh.server.refusals          {request}    http.request.method, url.scheme, rpc.system.name, rpc.method, intramesh.reason
//	intramesh.events                   {event}      server.address, server.port, intramesh.event, intramesh.reason
//	intramesh.endpoints                {endpoint}   server.address, server.port, intramesh.state
//	intramesh.breaker.state            1            server.address, server.port, intramesh.state
//	intramesh.config.age               s            intramesh.config
//	intramesh.certificate.expiry       s            intramesh.identity
//
// Copies for mirrors are in intramesh.client.mirrors alone, under the service that the mirror names; its intramesh.outcome
// is also "dropped", with the reason: "busy" and "memory" are the policy's limits, "incomplete" is a body that the call did
// not send to its end, "message" what cannot be copied, "nowhere" what needs discovery, "closed" a client that is.
//
// server.address is the name of the service called; the address of an endpoint is in spans only. intramesh.state is "ready",
// "ejected" or "probing" for endpoints, "closed", "half_open" or "open" for breakers. intramesh.event is "breaker_opened",
// "breaker_half_open", "breaker_closed", "endpoint_ejected", "endpoint_readmitted", "endpoint_suspected" (chance, as the policy
// sets it, has spared it), "panic_entered" and "panic_left" (ejections are ignored while too many endpoints are out), or
// "policy_refused": a new traffic policy cannot be honoured or had, and the last good one holds; the log says why. The number of sets of
// attributes is bounded, whatever peers and callers name: methods outside of HTTP's own, gRPC methods that the server has
// not registered, and what comes after 1000 pairs of service and method, or 200 outcomes of one of them, is _OTHER.
package telemetry
