package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// consulBinary is the path of a Consul: the one in PATH, or the one that this module's tests run. That one is built where
// it is not there, and then it is said on standard error what is done and how long it takes.
func consulBinary(ctx context.Context) (string, error) {
	if path, err := exec.LookPath("consul"); err == nil {
		return path, nil
	}
	dir, err := run(ctx, ".", "list", "-m", "-f", "{{.Dir}}", "github.com/intramesh/intramesh")
	if err == nil {
		dir, err = run(ctx, filepath.Join(dir, "internal", "consultool"), "run", ".")
	}
	if err != nil {
		return "", fmt.Errorf("no Consul in PATH, and none could be built (make test-consul does that): %w", err)
	}
	return dir, nil
}

// run asks the go command for one line.
func run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}
