// Package stack is the call path: what happens to a call on its way out of a client and into a server, and in which
// order. client.go and server.go each hold one order; every other file holds one layer or one thing that layers share.
//
// HTTP and gRPC run through the same layers. What differs between them is behind [Wire].
package stack
