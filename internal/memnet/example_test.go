package memnet_test

import (
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/intramesh/intramesh/internal/memnet"
)

func ExampleNetwork() {
	var network memnet.Network
	l, _ := network.Listen("orders:80")
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "placed") })}
	go srv.Serve(l)
	defer srv.Close()

	hc := &http.Client{Transport: &http.Transport{DialContext: network.DialContext, DisableKeepAlives: true}}
	resp, err := hc.Get("http://orders/")
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	fmt.Println(string(body))

	network.Refuse("orders:80")
	_, err = hc.Get("http://orders/")
	fmt.Println(err.(interface{ Unwrap() error }).Unwrap().(*net.OpError).Op, "failed")
	// Output:
	// placed
	// dial failed
}
