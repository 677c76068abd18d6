// Package manifest reads the YAML of Istio, the Gateway API and Kubernetes, in the process and with no cluster: a folder of
// files says where services are, where requests go and how destinations are treated, and may be edited while programs run.
//
//	plane, err := manifest.Open("mesh/")
//	c, err := client.New(client.Config{Discovery: plane, Traffic: plane})
//
// # What is read
//
// Of networking.istio.io (v1, v1beta1 and v1alpha3): VirtualService, DestinationRule, ServiceEntry, WorkloadEntry. Of
// gateway.networking.k8s.io (v1): HTTPRoute and GRPCRoute, bound to a Service. Of Kubernetes: Service and EndpointSlice. A
// file may have many documents, and Lists. JSON is YAML, too. Other well-known kinds, such as Deployment and EnvoyFilter, are
// named in a warning; a kind that nobody knows is an error.
//
// # Honoured or refused
//
// Every field is honoured as its own project documents it, or refused with file, line, field and reason; see FIELDS.md beside
// this file for which is which. Misspelt fields get a suggestion:
//
//	mesh/orders.yaml:12: DestinationRule/orders: spec.trafficPolicy.connectionPool.http.h2UpgradeElection: unknown field,
//	did you mean "h2UpgradePolicy"?
//
// COMPARE.md has the same policy in Go, in the words of Istio and in those of the Gateway API.
//
// [Config.Lenient] leaves out what cannot be honoured, and warns of each such thing. Values that are wrong are errors even then.
//
// Texts must be texts: where YAML reads a number, a date, true or false, quotes are needed, as they are with Kubernetes. Two
// entries with the same key, values nested more than 64 deep, aliases that stand for too much, files above 16 MiB, files
// that are not UTF-8 and empty files are errors; a file that says nothing on purpose has a comment.
//
// # Names
//
// A service has a full name, "orders.shop.svc.cluster.local". Resources may call one of their own namespace "orders", and must
// call others by the full name, as with Istio. Callers may say "orders" for one of their own namespace ([Config.Namespace]),
// "orders.shop", "orders.shop.svc" or the full name. Hosts of a ServiceEntry outside of the cluster's domain are called as
// they stand there; for "*.example.com" client.Config.Hosts needs ".example.com" besides. A host of a ServiceEntry without a
// dot is a service of its namespace, too, where Istio would have it match nothing.
//
// A name may have the number of one of the service's ports behind it. Without one it means port 80 where there is one, else
// the first port that is not said to be of TCP, TLS or a database.
//
// # Where services are
//
// A ServiceEntry has its endpoints in itself, selects WorkloadEntries, or has hosts in DNS; so far as can be known, endpoints
// must prove the identity of their serviceAccount. A Service has those of its EndpointSlices that are ready, and selects
// WorkloadEntries. Labels choose subsets: those of a WorkloadEntry, and of EndpointSlices those of the slice, since pods are
// not known here. Where two ServiceEntries of a namespace define a host, both are at it; of two namespaces the own one goes
// first, then the older resource.
//
// # Changes
//
// Files are watched, however they are changed: edited, renamed into place, reached through links that are swapped, as
// ConfigMap mounts do. What the operating system does not tell, as of a folder that is mounted over another or of network
// file systems, is found with the next [Config.Poll].
//
// A change counts when it has rested for 50 ms. All manifests are validated together and replaced as one. Where something is
// wrong, the last good state holds: the finding is logged once, watchers are told of it (discovery.Failed, [traffic.Update]
// with Err) so that telemetry shows it, and [Plane.Findings] has it. So it is when a folder vanishes or has no manifests any
// more, and while a file is empty, as between the two halves of writing it anew. A file that was cut off between two
// documents is a good one, so programs should write another file and rename it.
//
// # Lint
//
// [Lint], and the command discovery/manifest/meshlint, look further for what is allowed and yet can hardly be meant. Files that
// begin with lint_ are its checks.
//
// # Where things are
//
// Files that begin with rules_ are the tables of fields, which the decoder heeds: what is refused there never reaches the
// code behind it. Files that begin with translate_ turn resources into policy; they are listed in translators.
package manifest
