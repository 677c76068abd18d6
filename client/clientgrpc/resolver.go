package clientgrpc

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/resolver"

	"github.com/intramesh/intramesh/internal/meshtls"
	"github.com/intramesh/intramesh/internal/stack"
)

// scheme is that of the targets the mesh resolves.
const scheme = "mesh"

// resolverBuilder makes the resolver of a connection. It resolves nothing: it hands the balancer the destination, from
// which endpoints and their changes come without passing through grpc as lists, and grpc the service config.
type resolverBuilder struct{ dialer *dialer }

func (b *resolverBuilder) Scheme() string { return scheme }

// errCredentials keeps a connection to the mesh from falling back to anything less than the client's identity.
var errCredentials = errors.New("clientgrpc: the client has an identity, and other transport credentials were given after DialOptions")

var errForeign = errors.New("clientgrpc: the transport credentials are those of another client")

var errNoDiscovery = errors.New("clientgrpc: a mesh target needs client.Config.Discovery")

// Build is called by grpc whenever a connection leaves idleness.
func (b *resolverBuilder) Build(target resolver.Target, cc resolver.ClientConn, opts resolver.BuildOptions) (resolver.Resolver, error) {
	name, _ := serviceOf(scheme + ":" + target.Endpoint())
	if !validService(name, target.URL) {
		return nil, errors.New("clientgrpc: target " + target.String() + `: want "mesh:///service"`)
	}
	if b.dialer.config.Discovery == nil {
		return nil, errNoDiscovery
	}
	creds, ours := opts.DialCreds.(meshed)
	switch {
	case ours && creds.client != b.dialer.client:
		return nil, errForeign
	case !ours && b.dialer.config.Identity != nil:
		return nil, errCredentials
	}
	d := b.dialer.core.Destination(name, time.Now())
	d.Pin()
	f := &feed{dialer: b.dialer, dest: d, warm: b.dialer.config.WarmConns, tls: b.dialer.tls, own: !ours}
	r := &meshResolver{cc: cc, core: b.dialer.core, feed: f, stop: make(chan struct{})}
	go r.run(r.tell()) // told before it is asked: then Connect finds a balancer
	return r, nil
}

// feed is what the balancer gets through the resolver's attributes.
type feed struct {
	dialer *dialer
	dest   *stack.Destination
	warm   int
	tls    *meshtls.Client // nil without an identity and a policy
	own    bool            // the transport credentials are the caller's own
	// emitted is what the service config has grpc repeat. It includes what the one before did, which the streams are under
	// that begin at this moment.
	emitted atomic.Pointer[emitted]
}

type feedKey struct{}

// Equal lets attributes compare feeds.
func (f *feed) Equal(o any) bool {
	other, ok := o.(*feed)
	return ok && f == other
}

type meshResolver struct {
	cc   resolver.ClientConn
	core *stack.Client
	feed *feed
	told string
	last *emitted
	stop chan struct{}
	once sync.Once
}

// tell gives grpc the service config of the policy of now, where it is another than before, and returns what is closed when
// the policy has changed.
func (r *meshResolver) tell() (changed <-chan struct{}) {
	retries, changed := r.core.Retries(r.feed.dest.Name)
	if sc, e := configFor(retries); sc != r.told {
		r.feed.emitted.Store(e.and(r.last))
		r.told, r.last = sc, e
		_ = r.cc.UpdateState(resolver.State{
			ServiceConfig: r.cc.ParseServiceConfig(sc),
			Attributes:    attributes.New(feedKey{}, r.feed),
		})
	}
	return changed
}

// run tells again whenever the policy changes.
func (r *meshResolver) run(changed <-chan struct{}) {
	for {
		select {
		case <-changed:
			changed = r.tell()
		case <-r.stop:
			return
		}
	}
}

// ResolveNow has nothing to do: the source pushes.
func (r *meshResolver) ResolveNow(resolver.ResolveNowOptions) {}

// Close ends the resolver.
func (r *meshResolver) Close() {
	r.once.Do(func() {
		close(r.stop)
		r.feed.dest.Unpin()
	})
}
