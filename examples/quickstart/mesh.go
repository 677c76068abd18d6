package main

import (
	_ "embed"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery/manifest"
	"github.com/intramesh/intramesh/examples/internal/shop"
)

// meshFile is the folder of manifests, which has one file.
const meshFile = "inventory.yaml"

//go:embed mesh/inventory.yaml
var meshText string

// meshFolder is where the manifests of a run lie. Every process that calls others follows it.
func meshFolder(dir string) string { return filepath.Join(dir, "mesh") }

// routes opens the folder in a process.
func routes(dir string, log *slog.Logger) (shop.Traffic, error) {
	return manifest.New(manifest.Config{Paths: []string{meshFolder(dir)}, Logger: log})
}

// records are what the log says of manifests that are bad.
var records = map[string]string{"manifest: the manifests are bad; the last good state holds": shop.Refused}

// manifests are the folder as the parent edits it.
type manifests struct{ dir string }

// create makes the folder, in which v1 gets all calls.
func (m *manifests) create(dir string) error {
	m.dir = meshFolder(dir)
	if err := os.Mkdir(m.dir, 0o700); err != nil {
		return err
	}
	return m.write(meshText)
}

// weigh edits the weights, so that v2 gets so many percent, and returns the policy that processes must have then.
func (m *manifests) weigh(v2 uint32) (traffic.Policy, error) {
	text := strings.NewReplacer(
		"weight: 100", fmt.Sprintf("weight: %d", 100-v2), "weight: 0", fmt.Sprintf("weight: %d", v2),
	).Replace(meshText)
	state, found := manifest.Parse(manifest.Config{}, map[string]string{meshFile: text})
	if err := found.Err(); err != nil {
		return traffic.Policy{}, err
	}
	return state.Policy, m.write(text)
}

// misspell makes an edit that cannot be honoured.
func (m *manifests) misspell() error {
	return m.write(strings.NewReplacer("weight: 100", "weight: 50", "weight: 0", "wieght: 50").Replace(meshText))
}

// place is a file as the finding of a process names it, from the folder on.
func (m *manifests) place(finding string) string {
	return strings.ReplaceAll(finding, filepath.Dir(m.dir)+"/", "")
}

// write replaces the file in one step, as editors do. A name that begins with a dot is nobody's manifest.
func (m *manifests) write(text string) error {
	next := filepath.Join(m.dir, "."+meshFile)
	if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(m.dir, meshFile))
}
