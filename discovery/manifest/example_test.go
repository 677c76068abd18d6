package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/intramesh/intramesh/discovery/manifest"
)

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
