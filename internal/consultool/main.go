// Command consultool builds the Consul server that tests run, once, into a cache outside the repository, and prints where
// it is. What it does, and how long that took, it says on standard error.
//
//	go run .          builds what is missing
//	go run . -check   builds nothing; without a server it says so and prints nothing
//
// The server's version is that of github.com/hashicorp/consul in this module's go.mod, and every module that the build
// links is checked against go.sum. It stands in a module of its own because some 250 modules come with it. `go mod tidy`
// would ask for more still, the tests of all of them, and is not run here.
//
// Two choices in go.mod are not for taste. Consul v1.22.0 requires modules below github.com/hashicorp/consul that the
// checksum database does not know (proto-public v0.7.0, envoyextensions v0.9.0, troubleshoot v0.8.0); those of v1.21.0 are
// known to it. And consul-awsauth is newer than v1.21.0 asks for, because the database does not know the one that it asks
// for. So nothing is exempt from verification.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

const server = "github.com/hashicorp/consul"

func main() {
	check := flag.Bool("check", false, "build nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	path, err := find(ctx, *check)
	if err != nil {
		fmt.Fprintln(os.Stderr, "consultool:", err)
		os.Exit(1)
	}
	if path != "" {
		fmt.Println(path)
	}
}

// find is the path of the server, which it builds where there is none; empty where it must not.
func find(ctx context.Context, check bool) (string, error) {
	version, err := pinned(ctx)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "intramesh", "consul-"+version, "consul")
	switch _, err := os.Stat(path); {
	case err == nil:
		return path, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	case check:
		fmt.Fprintf(os.Stderr, "no Consul %s here: tests against a real one are skipped (make test-consul builds it)\n", version)
		return "", nil
	}
	return path, build(ctx, version, path)
}

// pinned is the version in go.mod.
func pinned(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", server)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// build makes the binary beside its place and renames it, so that what stands there is always whole.
func build(ctx context.Context, version, path string) error {
	start := time.Now()
	fmt.Fprintf(os.Stderr, "building Consul %s into %s: about 5 CPU-minutes, once\n", version, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), "build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	made := filepath.Join(tmp, "consul")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", made, server)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s: %w", server, err)
	}
	if err := os.Rename(made, path); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "built Consul %s in %v\n", version, time.Since(start).Round(time.Second))
	return nil
}
