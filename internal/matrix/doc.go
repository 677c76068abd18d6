// Package matrix shows that every capability stands alone: what was not asked for is not there, and what was asked for
// is. It has no code of its own.
//
// A row sets one field of client.Config, client.Options, server.Config or servergrpc.Transport and nothing else; one row
// sets none. A column is a kind of call: unary and streaming, over HTTP/1.1, HTTP/2 and gRPC. A scenario is what happens to
// the call: it is answered, refused, broken off, or never answered. The other side is always plain net/http or grpc-go.
//
// Each cell is run as an unwrapped pair first. What the caller saw, what the peer saw, the connections, the attempts, the
// log and the time that it took are one value, an exchange, and the cell's must be equal to the unwrapped pair's. A row
// lists its differences as data; there are few, and they are what was asked for. What a row does that no single call can
// show (how calls are spread, how long the registry is waited for) is shown by its effect.
//
// A field that is added to one of these types has to be given a row: the test of completeness fails until it has one.
//
// All cells run in memory and in bubbles of testing/synctest. So a day without an answer costs nothing, times can be
// compared exactly, and a goroutine that is left behind fails the cell that left it.
package matrix
