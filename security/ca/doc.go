// Package ca is a certificate authority inside the process, for laptops, tests and demonstrations: SPIFFE identities with
// lives of minutes to hours, which renew themselves, with nothing else running.
//
//	authority, err := ca.New(ca.Config{TrustDomain: "shop"})
//	web, err := authority.Identity("spiffe://shop/web")       // for this process; renews itself
//	svid, err := authority.Issue("spiffe://shop/orders")      // for another process,
//	err = svid.WritePEM("/run/shop/orders")                   // which reads ca.FilesIn("/run/shop/orders")
//
// It keeps its keys in memory: who holds the [CA] can be anybody in its trust domain, and when the process ends, nobody can
// issue for it again. In production use SPIRE, cert-manager, Istio's authority or your own, which issue certificates that
// package security reads from files.
//
// # Rotation of the authority
//
// A root is replaced in three steps, so that at no time somebody shows a certificate that another cannot check:
//
//   - [CA.AddRoot]: a new root is trusted, and signs nothing yet.
//   - [CA.UseRoot]: it signs; the old one is still trusted.
//   - [CA.DropRoots]: the old one is not trusted any more.
//
// Identities of this CA follow each step before the method returns. Processes that read files need new files for each step
// and time to read them; [CA.Rotate] takes all three and waits in between.
package ca
