package servergrpc

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/intramesh/intramesh/internal/call"
	"github.com/intramesh/intramesh/internal/stack"
	"github.com/intramesh/intramesh/security"
)

// conclude says how the call ended, before the layers are ended.
func conclude(c *stack.Serve, err error) {
	if err == nil {
		return
	}
	c.Err = err
	// As grpc does it: an error without a status may be the end of a context, and is unknown otherwise.
	if s, ok := status.FromError(err); ok {
		c.Code = call.Code(s.Code())
	} else if c.Code = call.Code(status.FromContextError(err).Code()); c.Code == call.OK {
		c.Code = call.Code(codes.Unknown)
	}
}

// incoming is what an observer may ask of a call.
type incoming stack.Serve

// Values are all values of a metadata entry.
func (in *incoming) Values(name string) []string {
	return metadata.ValueFromIncomingContext(in.Ctx, name)
}

// Describe tells what spans say of a call.
func (in *incoming) Describe() call.Detail {
	d := call.Detail{Version: "2"}
	if p, ok := peer.FromContext(in.Ctx); ok && p.Addr != nil {
		d.Remote = p.Addr.String()
	}
	d.Host, d.UserAgent = in.first(":authority"), in.first("user-agent")
	return d
}

func (in *incoming) first(name string) string {
	if v := in.Values(name); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Authenticate judges the client of the call's connection.
func (in *incoming) Authenticate(id security.Identity) (*security.Peer, error) {
	return authenticate(in.Ctx, id)
}
