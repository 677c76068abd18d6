package balance_test

import (
	"fmt"

	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/balance"
)

// tried leaves out the endpoints that a call has tried.
type tried map[int]bool

func (t tried) Usable(i int) bool { return !t[i] }

func ExampleNew() {
	nodes := []*balance.Node{
		balance.NewNode(discovery.Endpoint{Addr: "10.0.0.1:8080"}),
		balance.NewNode(discovery.Endpoint{Addr: "10.0.0.2:8080"}),
	}
	nodes[0].Begin() // a call is in flight there
	p, err := balance.New(balance.Config{Algorithm: balance.LeastRequest}, nodes)
	if err != nil {
		panic(err)
	}
	fmt.Println("least loaded:", p.Pick(0, nil))
	fmt.Println("another than that:", p.Pick(0, tried{1: true}))
	fmt.Println("none left:", p.Pick(0, tried{0: true, 1: true}))
	// Output:
	// least loaded: 1
	// another than that: 0
	// none left: -1
}

func ExampleNewNode() {
	n := balance.NewNode(discovery.Endpoint{Addr: "10.0.0.1:8080", Weight: 3})
	n.Begin()
	fmt.Println(n.InFlight(), n.Share())
	n.End()
	fmt.Println(n.InFlight())
	// Output:
	// 1 3
	// 0
}
