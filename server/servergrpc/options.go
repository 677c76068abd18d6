package servergrpc

import (
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/intramesh/intramesh/server"
)

// ServerOptions is all that a gRPC server of the mesh needs: [Interceptors], the default [Transport], and [Credentials]
// where s has an identity. Options that stand after them in the list of grpc.NewServer win.
func ServerOptions(s *server.Server) []grpc.ServerOption {
	return slices.Concat(Interceptors(s), Transport{}.Options(), Credentials(s))
}

// Credentials is mutual TLS by the server's identity, as [server.Server.TLSConfig] has it; nothing where there is none.
// Clients are asked for new connections before their certificates expire, and connections are closed whose client is
// nobody any more.
func Credentials(s *server.Server) []grpc.ServerOption {
	if s.TLSConfig() == nil {
		return nil
	}
	return []grpc.ServerOption{grpc.Creds(newIdentity(s))}
}

// Interceptors is the mesh alone, one unary and one stream interceptor, for servers whose transport settings are to stay
// as they are. They judge every call, and leave TLS to other options: with an identity add [Credentials], or credentials
// of your own that demand a certificate of clients, else every call is refused that is not public.
func Interceptors(s *server.Server) []grpc.ServerOption {
	i := &interceptor{core: s.Core()}
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(i.unary), grpc.ChainStreamInterceptor(i.stream)}
}

// Defaults of [Transport].
const (
	defaultWorkers  = 64
	defaultPingTime = 10 * time.Second
)

// Transport holds the transport settings that an expert would choose. None changes what callers or handlers see: limits
// of messages and metadata stay grpc's own. To choose for yourself:
//
//	opts := append(servergrpc.Interceptors(s), servergrpc.Transport{Workers: 128}.Options()...)
type Transport struct {
	// Workers is the number of goroutines that are kept to run handlers, so that not every call grows a new stack;
	// measured, it saves 10 to 14 % of the CPU time of small calls. More calls than workers get goroutines of their own.
	// 0: 64; negative: none, as grpc has it. (grpc.NumStreamWorkers, which grpc calls experimental.)
	Workers int
	// PingTime is how often clients may send keepalive pings, also while no call is running. grpc's own 5 minutes, and
	// none without calls, answer a client that pings more often with GOAWAY "too_many_pings". 0: 10 s, the least that
	// grpc's clients ping; negative: as grpc has it.
	PingTime time.Duration
}

// Options is the settings as grpc takes them.
func (t Transport) Options() []grpc.ServerOption {
	var opts []grpc.ServerOption
	if t.Workers == 0 {
		t.Workers = defaultWorkers
	}
	if t.Workers > 0 {
		opts = append(opts, grpc.NumStreamWorkers(uint32(min(t.Workers, maxWorkers))))
	}
	if t.PingTime == 0 {
		t.PingTime = defaultPingTime
	}
	if t.PingTime > 0 {
		opts = append(opts, grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			MinTime: t.PingTime, PermitWithoutStream: true,
		}))
	}
	return opts
}

// maxWorkers keeps a number that is out of all reason from being wrapped into another; workers are started at once.
const maxWorkers = 1 << 20
