// Package memnet is a network in memory, for tests and for Examples that must run anywhere.
//
// It behaves as TCP on loopback does as far as clients and servers can see: connections are buffered in both directions
// (net.Pipe is not, and HTTP/2 deadlocks on it), reads after the peer's Close give what was pending and then io.EOF,
// errors are *net.OpError values around the same syscall errors. Nothing in it blocks on anything but condition
// variables and channels, so that it may be used inside a testing/synctest bubble, where real sockets may not.
//
// Faults are a matter of an address: [Network.Refuse], [Network.BlackHole], [Network.Cut], and [Network.Restore].
package memnet
