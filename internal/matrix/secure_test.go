package matrix

import (
	"crypto/tls"
	"crypto/x509"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/internal/pkitest"
	"github.com/intramesh/intramesh/security"
)

// The identities of the two sides of a secure cell.
const (
	callerID = "spiffe://shop/web"
	peerID   = "spiffe://shop/orders"
)

// authority is that of the world's trust domain.
func (w *world) authority() *pkitest.Signer {
	if w.root == nil {
		w.root = pkitest.Root(w.t, forYears)
	}
	return w.root
}

// identity is one of the trust domain.
func (w *world) identity(id string) security.Identity {
	root := w.authority()
	return root.Workload([]string{id}, forYears).Material(root)
}

// forYears outlives the longest wait of a cell: the end of a certificate is not a matter of this test.
func forYears(c *x509.Certificate) { c.NotAfter = time.Now().AddDate(1, 0, 0) }

// serverTLS is what a plain server of a secure cell has.
func (w *world) serverTLS() *tls.Config { return security.ServerTLS(w.identity(peerID), nil) }

// clientTLS is what a plain client of a secure cell has.
func (w *world) clientTLS() *tls.Config {
	return security.ClientTLS(w.identity(callerID), must(security.Expect(peerID))(w), nil)
}

// credentials are those of a plain gRPC client.
func (w *world) credentials() credentials.TransportCredentials {
	if w.secure {
		return credentials.NewTLS(w.clientTLS())
	}
	return insecure.NewCredentials()
}

// proven is a source that says who the endpoint is.
var proven = discovery.Static{"orders": {{Addr: peerAddr, ID: peerID}}}
