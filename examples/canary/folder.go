package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/discovery/manifest"
	"github.com/intramesh/intramesh/examples/internal/orders"
)

// folder is a copy of a folder of manifests, which this program edits. It says where the endpoints are as well.
type folder struct {
	*manifest.Plane

	dir  string
	text string // of orders.yaml, in which v2 has 10 %
}

func newFolder(mesh string, servers []*orders.Server) (*folder, error) {
	text, err := os.ReadFile(filepath.Join(mesh, "orders.yaml"))
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "canary-")
	if err != nil {
		return nil, err
	}
	f := &folder{dir: dir, text: string(text)}
	err = errors.Join(f.write("orders.yaml", f.text), f.write("endpoints.yaml", entries(servers)))
	if err == nil {
		f.Plane, err = manifest.New(manifest.Config{Paths: []string{dir}, Logger: slog.New(slog.DiscardHandler)})
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return f, nil
}

func (f *folder) endpoints() discovery.Source { return f }

// weigh edits the weights, and the name of the route.
func (f *folder) weigh(v2 uint32) error {
	return f.write("orders.yaml", strings.NewReplacer(
		rule(10), rule(v2), "weight: 90", fmt.Sprint("weight: ", 100-v2), "weight: 10", fmt.Sprint("weight: ", v2)).Replace(f.text))
}

// spoil misspells a field, and waits until that is noticed.
func (f *folder) spoil() (why error) {
	if err := f.write("orders.yaml", strings.Replace(f.text, "weight: 10", "wieght: 10", 1)); err != nil {
		return err
	}
	ctx, noticed := context.WithCancel(context.Background())
	defer noticed()
	err := f.WatchTraffic(ctx, func(u traffic.Update) {
		if u.Err != nil {
			why = errors.New(strings.ReplaceAll(u.Err.Error(), f.dir+"/", ""))
			noticed()
		}
	})
	return errors.Join(why, err)
}

// write replaces a file in one step. A name that begins with a dot is nobody's manifest.
func (f *folder) write(name, text string) error {
	next := filepath.Join(f.dir, "."+name)
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil { //nolint:gosec // a temporary folder of our own
		return err
	}
	return os.Rename(next, filepath.Join(f.dir, name))
}

func (f *folder) end() {
	_ = f.Close()
	_ = os.RemoveAll(f.dir)
}

// entries are the servers in the words of Istio: as endpoints of orders with labels, by which a DestinationRule chooses, and
// each as a service of its own, which is how the Gateway API knows versions.
func entries(servers []*orders.Server) string {
	var all, each strings.Builder
	all.WriteString(entry("orders"))
	for _, s := range servers {
		e := fmt.Sprintf("  - {address: 127.0.0.1, ports: {http: %s}, labels: {version: %q}}\n",
			s.Addr[strings.LastIndexByte(s.Addr, ':')+1:], strings.TrimPrefix(s.Name, "v"))
		all.WriteString(e)
		each.WriteString(entry("orders-"+s.Name) + e)
	}
	return all.String() + each.String()
}

// entry is a ServiceEntry but for its endpoints.
func entry(host string) string {
	return fmt.Sprintf(`---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: %s}
spec:
  hosts: [%[1]s]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints:
`, host)
}
