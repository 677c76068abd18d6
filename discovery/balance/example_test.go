package balance_test

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

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

// A user stays at one endpoint, and moves only while that is out of use.
func ExampleNew_ringHash() {
	nodes := []*balance.Node{
		balance.NewNode(discovery.Endpoint{Addr: "10.0.0.1:8080"}),
		balance.NewNode(discovery.Endpoint{Addr: "10.0.0.2:8080"}),
		balance.NewNode(discovery.Endpoint{Addr: "10.0.0.3:8080"}),
	}
	p, err := balance.New(balance.Config{Algorithm: balance.RingHash}, nodes)
	if err != nil {
		panic(err)
	}
	user := xxhash.Sum64String("ada")
	fmt.Println(p.Pick(user, nil), p.Pick(user, nil), p.Pick(user, nil))
	home := p.Pick(user, nil)
	fmt.Println("elsewhere:", p.Pick(user, tried{home: true}) != home)
	// Output:
	// 0 0 0
	// elsewhere: true
}

func ExampleNewByLocality() {
	nodes := []*balance.Node{
		balance.NewNode(discovery.Endpoint{Addr: "10.1.0.1:8080", Region: "eu", Zone: "a"}),
		balance.NewNode(discovery.Endpoint{Addr: "10.1.0.2:8080", Region: "eu", Zone: "b"}),
		balance.NewNode(discovery.Endpoint{Addr: "10.2.0.1:8080", Region: "us", Zone: "a"}),
	}
	ejected := map[int]bool{}
	healthy := func(i int) bool { return !ejected[i] }
	here := balance.Place{Region: "eu", Zone: "b"}
	p, err := balance.NewByLocality(balance.Config{}, balance.Locality{}, here, nodes, healthy, 50)
	if err != nil {
		panic(err)
	}
	fmt.Println("the own zone:", p.Pick(0, nil))
	ejected[1] = true
	p.Update()
	fmt.Println("the own region:", p.Pick(0, nil))
	// Output:
	// the own zone: 1
	// the own region: 0
}
