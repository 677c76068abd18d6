// Package consultest runs real Consul servers for tests: one in dev mode, one that keeps its data, or a cluster, on free
// loopback ports. They can be stopped, restarted, killed and paused, and end with the test, and with the test's process
// where the operating system allows it.
//
//	func TestSomething(t *testing.T) {
//		s := consultest.Start(t, consultest.Config{})
//		api := s.Client()
//		...
//	}
//
// The server is the one that `make test-consul` builds, see internal/consultool. Where it is not there, [Start] and
// [Cluster] skip the test.
package consultest
