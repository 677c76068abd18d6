package manifest_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery/manifest"
)

// A folder of manifests says where services are.
func ExampleOpen() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello from %s", r.Host)
	}))
	defer srv.Close()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())

	dir, err := os.MkdirTemp("", "mesh")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	orders := fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: orders}
spec:
  hosts: [orders.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: %s}]
  endpoints: [{address: 127.0.0.1}]
`, port)
	if err := os.WriteFile(filepath.Join(dir, "orders.yaml"), []byte(orders), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	plane, err := manifest.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer plane.Close()
	c, err := client.New(client.Config{Discovery: plane, Traffic: plane})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	hc := &http.Client{Transport: c.Transport(nil)}
	resp, err := hc.Get("http://orders/")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(string(body), err)
	// Output:
	// hello from orders <nil>
}

// Manifests in memory can be checked in a test.
func ExampleParse() {
	_, findings := manifest.Parse(manifest.Config{}, map[string]string{"orders.yaml": `
apiVersion: v1
kind: Service
metadata: {name: orders}
spec:
  sessionAffinity: ClientIP
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders}
`})
	for _, f := range findings {
		fmt.Printf("%v: %v\n", f.Severity, f)
	}
	// Output:
	// error: orders.yaml:6: Service/orders: spec.sessionAffinity: ClientIP: the consistentHash of a DestinationRule takes its place
	// warning: orders.yaml:9: Deployment/orders: Deployment does not concern this plane and is left out
}

// A mistake is told with its place, and with what was meant.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "mesh")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	rules := `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: orders}
spec:
  hosts: orders
`
	if err := os.WriteFile(filepath.Join(dir, "orders.yaml"), []byte(rules), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	_, err = manifest.New(manifest.Config{Paths: []string{dir}})
	fmt.Println(strings.ReplaceAll(err.Error(), dir, "mesh"))
	// Output:
	// manifest: mesh/orders.yaml:6: DestinationRule/orders: spec.hosts: unknown field, did you mean "host"?
}
