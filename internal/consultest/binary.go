package consultest

import (
	"os"
	"path/filepath"
	"testing"
)

// Version is the version of the server, which internal/consultool pins.
const Version = "v1.21.0"

// BinaryEnv is the environment variable with the path of the server to use; "none" skips all tests that need one. make sets
// it, so that what go test remembers of a run without a server is not taken for one with it. Empty: the server that
// make test-consul has built.
const BinaryEnv = "INTRAMESH_TEST_CONSUL"

// Binary is the path of the server. It skips the test where there is none.
func Binary(t testing.TB) string {
	t.Helper()
	switch path := os.Getenv(BinaryEnv); path {
	case "":
	case "none":
		t.Skipf("%s is none", BinaryEnv)
	default:
		return path
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("no Consul server: %v; %s may name one", err, BinaryEnv)
	}
	path := filepath.Join(cache, "intramesh", "consul-"+Version, "consul")
	if _, err := os.Stat(path); err != nil {
		t.Skip("no Consul server here: make test-consul builds it")
	}
	return path
}
