// Package consul is HashiCorp Consul as the registry: services find each other by it, and register themselves in it.
//
//	plane, err := consul.New(consul.Config{}) // the agent on this host, or what CONSUL_HTTP_ADDR and the others say
//	c, err := client.New(client.Config{Discovery: plane, Hosts: []string{"orders"}})
//	err = s.Register(ctx, plane, discovery.Registration{ // s is a server.Server that listens there
//		Service:  "orders",
//		Endpoint: discovery.Endpoint{Addr: "10.0.0.7:8080"},
//	})
//
// # Where Consul is
//
// Each of these has its place in [Config] or in the environment, where Config goes first:
//
//	address             Address           CONSUL_HTTP_ADDR: host:port, http://, https://, unix://; else localhost:8500
//	token               Token, TokenFile  CONSUL_HTTP_TOKEN_FILE, which goes before CONSUL_HTTP_TOKEN
//	https               TLS               CONSUL_HTTP_SSL where the address has no https://, CONSUL_HTTP_SSL_VERIFY
//	authorities                           CONSUL_CACERT, CONSUL_CAPATH; else those of the operating system
//	client certificate                    CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY
//	name of the server                    CONSUL_TLS_SERVER_NAME; else the address's
//	user of a gateway                     CONSUL_HTTP_AUTH
//	datacenter          Datacenter        else the agent's
//	Enterprise          Namespace         CONSUL_NAMESPACE
//	                    Partition         CONSUL_PARTITION
//
// What cannot be honoured is an error of [New]. A token file is read for every request, the other files once. HTTP/1.1 is
// spoken, and no redirection followed, since the token would go along. Community Edition has no namespaces and partitions
// and refuses who asks for them: the error says so. What Consul has refused is an api.StatusError below the error.
//
// # What a name means
//
// A service of the mesh is a service of Consul of that name. "orders.dc2" is the one in another datacenter. The long form
// of Consul's DNS has a place for a tag: "v2.orders.service.dc2", with ".consul" behind it or without. "orders:9090" are
// the instances that have that port. Everything else, several tags, filter expressions, names with dots, is said in
// Config.Services. A datacenter that the agent cannot reach is no absent service but a failure, as all of Consul is.
//
// # What is read from where
//
//	Endpoint.Addr      the service's address, else its node's, and the service's port; Config.TaggedAddress chooses others;
//	                   a socket path where there is no port
//	Endpoint.Weight    the service's weight for passing, or for warning where Config.Warning is set
//	Zone, Region       the service's locality, else its node's; a zone without a region, which Consul has not, is the
//	                   metadata "locality-zone"
//	SubZone            the metadata "locality-subzone"
//	Endpoint.Metadata  the service's metadata, and tags: "version=v1" as a label of that name and value, "canary" as a label
//	                   with the value "true"; metadata goes first
//	Endpoint.ID        the metadata "spiffe-id", else what the CA of the datacenter gives to instances that are Connect
//	                   native, and to sidecars, which prove the identity of the service behind them
//
// Instances whose checks fail, or that are in maintenance, are left out, and those in warning too unless Config.Warning is
// set. Where several stand at one address the one that was registered last holds. A service of which no instance is
// registered is [discovery.Absent]; one whose instances are all down is known and empty, and so is a subset by tags or
// filter that nobody is in. A port that no instance has is absent.
//
// # What is asked
//
// Each service that somebody watches costs one blocking query and one connection, however many clients watch it; Consul
// answers when something changes, and once in Config.Wait when nothing does. Watches hear of differences. After an answer
// the next question follows 100 ms later at the earliest, and later where answers are large, so that reading them takes
// 3 % of a core or less; half a second at the most. The index of a query starts again when it goes back. An agent takes 200
// connections of one client unless its http_max_conns_per_client says otherwise.
//
// # When Consul is away
//
// The last endpoints hold, however long it lasts, and watches hear that they are old ([discovery.Failed]). Consul is asked
// again after 1 s, and then less often, up to every 30 s, 20 % to either side. Errors, answers that are cut off or not
// Consul's, and empty ones that come from a server without a leader, or from one that knows nothing at all
// yet, count as failures. Each problem is logged once, and its end. With Config.Stale a server answers that has lost its
// leader, and with Config.Cached an agent that has lost its servers, of what it was asked before.
//
// For half a minute after it answers again, or when its index has gone back, what was known before is called all the same,
// but for instances in maintenance: an agent or a server that restarts may have forgotten its instances, and takes those
// that it knows for critical until their checks have run. Those that are alive register again meanwhile; those that have
// died are found out by calling them. At all other times it is believed at once that there are no instances.
//
// # Fewer rights
//
// Consul answers who may not read a service as if it were empty, and leaves out of an answer what may not be seen. Such
// answers are recognised; the error, which is logged and which watches hear, names the rights that are needed. What is left
// out of an answer since the token lost a right holds as it was; a token that never saw more works with what it sees, and
// that is logged. An agent that is subscribed to changes does not say that it leaves something out: where half of the
// instances vanish at once the servers are asked. Who has no token learns of a service that may not be read, and nothing
// of nodes.
//
// # Registered instances
//
// The Register method of a server.Server is the usual way: it calls [Plane.Register], and the server's drain calls Drain
// and Leave of the lease. What serves by other means calls all three: Drain when it is to end, Leave when it has.
//
// [Plane.Register] speaks to the agent of this host. It tries until the agent is there, and looks after the instance from
// then on: it tells TTL checks whether the instance is ready, thrice in a TTL and when that changes, and registers it again
// where the agent has forgotten it; an agent that does not answer is asked again after 1 s, and then less often, but thrice
// in a TTL. An agent that restarts remembers what TTL checks were told, and takes instances with other checks for critical
// until these have run, for those too who ask other agents. An instance that registers as ready begins as passing. Drain
// puts it into maintenance, and so it stays when it has to be registered again. Leave removes it. An instance that dies is
// critical when its TTL ends or its checks fail, and is removed by the agent after Registration.RemoveAfter, a minute
// unless it says otherwise; Consul looks every 30 s.
//
// The agent tells its servers of an instance with the token of its registration. With another token in Config.TokenFile the
// instance is registered again, within 10 s or a third of its shortest TTL: so long both tokens should be valid.
//
// # Rights
//
// With access control on, a token that finds services needs two rules. They can be narrowed to the services that are called,
// `service "orders" { policy = "read" }`, and to the nodes where these are; instances on other nodes are then not seen.
// Nothing more is needed for identities of Connect.
//
//	service_prefix "" { policy = "read" }
//	node_prefix    "" { policy = "read" }
//
// One that registers "orders", keeps it registered, drains and removes it needs one rule:
//
//	service "orders"  { policy = "write" }
//
// Where a right is missing the error names it: Watch goes on and reports [discovery.Failed], Register returns.
package consul
