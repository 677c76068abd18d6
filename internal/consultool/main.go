// Command consultool builds the Consul server that tests run, once, into the user's cache, and prints where it is. What it
// does, and how long that takes, it says on standard error.
//
//	go run .          builds what is missing
//	go run . -check   builds nothing; without a server it says so and prints nothing
//
// The cache is $XDG_CACHE_HOME, else $HOME/.cache, or what else the operating system has for it. INTRAMESH_TEST_CONSUL
// names a server that is built already.
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
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

const (
	server = "github.com/hashicorp/consul"
	// given is the variable with the path of a server to use instead; "none": tests need none.
	given = "INTRAMESH_TEST_CONSUL"
)

func main() {
	check := flag.Bool("check", false, "build nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	path, err := place(ctx)
	switch {
	case err == nil && exists(path):
	case *check:
		sayf("tests against a real Consul are skipped: %s (make test-consul builds one)", reason(path, err))
		return
	case err == nil:
		err = build(ctx, path)
	}
	if err != nil {
		sayf("consultool: no Consul server: %v", err)
		os.Exit(1)
	}
	fmt.Println(path)
}

func sayf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// place is where the server is or will be.
func place(ctx context.Context) (string, error) {
	switch path := os.Getenv(given); {
	case path == "":
	case path == "none":
		return "", fmt.Errorf("%s is none", given)
	case !exists(path):
		return "", fmt.Errorf("%s is %s, and no such file is there", given, path)
	default:
		return path, nil
	}
	version, err := pinned(ctx)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no place for it: %w", err)
	}
	return filepath.Join(cache, "intramesh", "consul-"+version, "consul"), nil
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func reason(path string, err error) string {
	if err != nil {
		return err.Error()
	}
	return "there is no " + path
}

// pinned is the version in go.mod.
func pinned(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", server)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}
