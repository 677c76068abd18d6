// Command mtls is the smallest useful adoption of identities: every connection proves who is at both its ends, a service
// says who may call it, and certificates are renewed under calls. See README.md.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mtls:", err)
		os.Exit(1)
	}
}

func run(out io.Writer) error {
	shop, err := newShop()
	if err != nil {
		return err
	}
	defer shop.close()
	fmt.Fprintln(out, "web calls orders")
	if err := shop.visit(out, shop.web); err != nil {
		return err
	}
	fmt.Fprintln(out, "reviews calls orders, which does not allow it")
	if err := shop.visit(out, shop.reviews); err != nil {
		return err
	}
	fmt.Fprintln(out, "a stranger calls orders, as web by the word of an authority of its own")
	stranger, err := forge(shop.authority)
	if err != nil {
		return err
	}
	if err := shop.visit(out, stranger); err != nil {
		return err
	}
	fmt.Fprintln(out, "web calls on while certificates and the root are replaced")
	return shop.rotate(out)
}

// shop is an authority, the identities that it issues, and the service that is called.
type shop struct {
	authority              *ca.CA
	web, reviews, ordersID *ca.Identity
	orders                 *orders
}

func newShop() (s *shop, err error) {
	s = new(shop)
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.authority, err = ca.New(ca.Config{TrustDomain: "shop"}); err != nil {
		return s, err
	}
	for name, id := range map[string]**ca.Identity{"web": &s.web, "reviews": &s.reviews, "orders": &s.ordersID} {
		if *id, err = s.authority.Identity("spiffe://shop/" + name); err != nil {
			return s, err
		}
	}
	s.orders, err = listen(s.ordersID)
	return s, err
}

// close ends what there is; the authority takes its identities with it.
func (s *shop) close() {
	if s.orders != nil {
		s.orders.close()
	}
	if s.authority != nil {
		_ = s.authority.Close()
	}
}

// forge makes an identity that says web, and that the shop's authority knows nothing of. Who the shop trusts is no
// secret, so the stranger knows how to tell the real orders.
func forge(shop *ca.CA) (security.Identity, error) {
	other, err := ca.New(ca.Config{TrustDomain: "shop"})
	if err != nil {
		return nil, err
	}
	defer other.Close()
	svid, err := other.Issue("spiffe://shop/web")
	if err != nil {
		return nil, err
	}
	for _, root := range shop.Bundle().X509Authorities() {
		svid.Bundles[0].AddX509Authority(root)
	}
	return svid.Material()
}
