package ca_test

import (
	"fmt"
	"log"
	"os"

	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/security/ca"
)

func ExampleNew() {
	authority, err := ca.New(ca.Config{TrustDomain: "shop"})
	if err != nil {
		log.Fatal(err)
	}
	defer authority.Close()
	id, err := authority.Identity("spiffe://shop/web") // or "/web"; it renews itself
	if err != nil {
		log.Fatal(err)
	}
	now, _ := id.Watch()
	fmt.Println(now.ID())
	// Output: spiffe://shop/web
}

// A certificate for another process, which reads files.
func ExampleSVID_WritePEM() {
	dir, err := os.MkdirTemp("", "orders")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	authority, _ := ca.New(ca.Config{TrustDomain: "shop"})
	svid, _ := authority.Issue("spiffe://shop/orders")
	if err := svid.WritePEM(dir); err != nil {
		log.Fatal(err)
	}

	id, err := security.NewFiles(ca.FilesIn(dir)) // over there
	if err != nil {
		log.Fatal(err)
	}
	defer id.Close()
	now, _ := id.Watch()
	fmt.Println(now.ID())
	// Output: spiffe://shop/orders
}
