// Package traffic says where requests go and how each destination is treated, as plain data that is the same for HTTP and
// gRPC.
package traffic
