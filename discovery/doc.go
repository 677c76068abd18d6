// Package discovery is what the mesh learns at run time about where services are.
//
// A [Source] is asked about one service at a time and keeps telling: it reports the endpoints of the service as they
// are, and then whatever changes. A client starts to ask about a service with its first call; client.Ready asks earlier
// and waits for the answers. There are four sources here, and others can be written outside:
//
//   - [Static]: a map in the program, for laptops, tests and fixed addresses.
//   - [File]: a YAML or JSON file that is read again when it changes.
//   - [DNS]: A and AAAA records, looked up again and again.
//   - [Merge]: several sources as one. Where several list the same address, the details of the earlier one hold.
//
// # A destination has three states
//
// What a client does with a call depends on what is known of the service, and the three cases are not the same:
//
//   - Not yet answered: the source has said nothing, or only that it failed ([Failed]). A call waits, as long as its
//     deadline and the client's Warmup let it.
//   - Known absent ([Absent]): the registry says that there is no such service. A call fails at once, with
//     [ErrUnknownService].
//   - Known empty (a [Set] without endpoints): the service exists and nobody runs it. A call fails at once, with
//     [ErrNoEndpoint].
//
// Once a source has answered, a failure takes nothing back: the last set holds until there is news. A registry that
// truthfully says that a service is gone or empty is believed; one that cannot be reached is not taken to say so.
//
// # Services and ports
//
// A service is the name that the caller used, with ":port" where the caller gave one: http://orders/ asks for "orders",
// http://orders:9090/ for "orders:9090". These are different services. [Static] and [File] look up the name exactly as
// it was asked for: who lists only "orders" has said nothing of what should answer at port 9090, and sending the call to
// whatever stands under "orders" could reach the wrong one, so it is [Absent]. List both names where both are meant.
//
// # Writing a source
//
// Implement the one method of [Source] and let discoverytest judge it: discoverytest.Run takes a function that makes the
// source over a registry in a given state, and the means to change that state, and checks every rule that Source states.
// The simplest source reports a [Set] whenever anything changed; [Update.Apply] is how clients follow, sets and
// differences alike. A source reports endpoints that pass [Endpoint.Validate], each address once.
package discovery
