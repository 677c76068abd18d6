package security

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// verdict is that a peer was accepted, and for how long its chain is valid.
type verdict struct {
	peer      *Peer
	notBefore time.Time
	notAfter  time.Time
}

// newVerdict takes the chain that is valid the longest.
func newVerdict(id spiffeid.ID, chains [][]*x509.Certificate) *verdict {
	v := &verdict{}
	for _, chain := range chains {
		from, to := chain[0].NotBefore, chain[0].NotAfter
		for _, c := range chain[1:] {
			if c.NotBefore.After(from) {
				from = c.NotBefore
			}
			if c.NotAfter.Before(to) {
				to = c.NotAfter
			}
		}
		if to.After(v.notAfter) {
			v.notBefore, v.notAfter = from, to
		}
	}
	v.peer = &Peer{ID: id, Certificate: chains[0][0], NotAfter: v.notAfter}
	return v
}

func (v *verdict) holds(now time.Time) bool {
	return !now.Before(v.notBefore) && !now.After(v.notAfter)
}

// maxVerdicts bounds what a Material remembers: at 4 KB a certificate, 16 MB in the worst case.
const maxVerdicts = 4096

// verdicts remembers the peers that one Material has accepted, in one role. It lives and dies with the Material, so no
// verdict outlives the trust that it came from, and each holds only while its chain is valid. Refusals are not remembered:
// strangers could fill the memory.
//
// A request asks by the certificate's pointer, which stays the same for a connection and costs no hash; a new connection
// with a certificate that is known is found by its bytes. What signs the leaf makes no difference: that there is a chain
// was seen, and that the peer has the key is what TLS proves.
type verdicts struct {
	byPointer sync.Map // *x509.Certificate to *verdict
	byHash    sync.Map // [sha256.Size]byte to *verdict
	pointers  atomic.Int64
	hashes    atomic.Int64
}

// find is what is remembered of a leaf and still holds, or nil.
func (vs *verdicts) find(leaf *x509.Certificate, now time.Time) *verdict {
	if v, ok := vs.byPointer.Load(leaf); ok {
		if v := v.(*verdict); v.holds(now) {
			return v
		}
		return nil
	}
	if v, ok := vs.byHash.Load(sha256.Sum256(leaf.Raw)); ok {
		if v := v.(*verdict); v.holds(now) {
			remember(&vs.byPointer, &vs.pointers, leaf, v)
			return v
		}
	}
	return nil
}

func (vs *verdicts) add(leaf *x509.Certificate, v *verdict) {
	remember(&vs.byPointer, &vs.pointers, leaf, v)
	remember(&vs.byHash, &vs.hashes, sha256.Sum256(leaf.Raw), v)
}

// remember forgets all when there is too much: what is in use comes back at the price of one verification.
func remember(m *sync.Map, n *atomic.Int64, key any, v *verdict) {
	if n.Add(1) > maxVerdicts {
		m.Clear()
		n.Store(1)
	}
	m.Store(key, v)
}
