// Package security is who is calling, and whether they may.
//
//	id, err := security.NewFiles(security.FilesConfig{Certificate: "tls.crt", Key: "tls.key", Bundle: "ca.crt"})
//	c, err := client.New(client.Config{Discovery: source, Identity: id, ServerID: serverID})
//	s, err := server.New(server.Config{Identity: id, Authorize: security.AllowID("spiffe://shop/web")})
//
// Clients and servers of the mesh do with that all that is said here, over HTTP and gRPC. Everything can also be used
// without them.
//
// # Identity
//
// An [Identity] is who this process is and whom it trusts, now: a certificate with one SPIFFE ID
// (spiffe://trust-domain/path), its key, and the roots of each trust domain, together as one immutable [Material] that is
// replaced while the process runs. There are two here, and [NewMaterial] lets others be written:
//
//   - [Files]: PEM files, read again when they change, as a Kubernetes Secret, cert-manager or spiffe-helper writes them.
//   - package security/ca: an authority inside the process, for laptops and tests.
//
// # TLS
//
// [ServerTLS] and [ClientTLS] make ordinary *tls.Config values, TLS 1.3 only, which follow the identity: a new
// certificate or root needs no new config and no new listener. Everything about the peer is checked when a connection is
// made, and [VerifyClient] and [VerifyServer] check it again later, by what is trusted then:
//
//   - exactly one URI name, a SPIFFE ID with a path; the certificate of a workload and not of an authority;
//   - usable for signatures and for its side of TLS;
//   - a chain to a root of the ID's own trust domain: an authority of one domain cannot vouch for another's members;
//   - every certificate of the chain within its validity;
//   - for servers, the identity that an [Expectation] demands. Host names play no part.
//
// Whoever refuses has a [*HandshakeError] with a [Reason]. In TLS 1.3 a client's handshake is over before the server has
// judged it, so the refused client learns of it when it first reads: [Refusal] makes [ErrHandshakeRefused] of the alert.
// Neither says that a request that was already written is safe to repeat.
//
// Sessions are never resumed: a resumed session shows the certificate of its first handshake, even after rotation.
//
// # Authorization
//
// An [Authorizer] allows a [Request] by returning nil. [AllowID], [AllowTrustDomain] and [AllowMethods] are the rules,
// [All] and [Any] combine them:
//
//	security.Any(
//		security.AllowID("spiffe://shop/web"),
//		security.All(security.AllowTrustDomain("shop"), security.AllowMethods("/shop.Orders/Get", "GET /items/*")),
//	)
//
// What cannot be understood denies, and [Check] reports it where a server is made. An empty list denies.
package security
