package consultest

import (
	"os"
	"path/filepath"
	"testing"
)

// Version is the version of the server, which internal/consultool pins.
const Version = "v1.21.0"

// BinaryEnv is the environment variable with the path of another server to use.
const BinaryEnv = "INTRAMESH_TEST_CONSUL"

// Binary is the path of the server. It skips the test where there is none.
func Binary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv(BinaryEnv); path != "" {
		return path
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("no Consul server: %v", err)
	}
	path := filepath.Join(cache, "intramesh", "consul-"+Version, "consul")
	if _, err := os.Stat(path); err != nil {
		t.Skip("no Consul server here: make test-consul builds it")
	}
	return path
}
