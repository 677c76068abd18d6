package matrix

import (
	"time"

	"github.com/intramesh/intramesh/security"
	"github.com/intramesh/intramesh/server"
	"github.com/intramesh/intramesh/server/servergrpc"
)

var (
	bothServers  = []wiring{handler, attached}
	withSettings = []wiring{attached}
)

// serverRows has a row for each field of server.Config.
var serverRows = []row{
	{field: "", wirings: bothServers, differs: recovers},
	{
		field: "DrainDelay", wirings: bothServers,
		server:  func(c *server.Config, _ *world) { c.DrainDelay = time.Second },
		differs: recovers,
	},
	{
		field: "DrainTimeout", wirings: bothServers,
		server:  func(c *server.Config, _ *world) { c.DrainTimeout = time.Second },
		differs: recovers,
	},
	{
		field: "Identity", wirings: bothServers, secure: true,
		server:  func(c *server.Config, w *world) { c.Identity = w.identity(peerID) },
		differs: recovers,
	},
	{
		field: "Authorize", wirings: bothServers, // what it lets pass is as if it were not there
		server:  func(c *server.Config, _ *world) { c.Authorize = security.AllowMethods("/*") },
		differs: recovers,
	},
	{
		field: "Public", wirings: bothServers,
		server:  func(c *server.Config, _ *world) { c.Public = []string{"/healthz"} },
		differs: recovers,
	},
	{
		field: "Telemetry", wirings: bothServers,
		server:  func(c *server.Config, _ *world) { c.Telemetry = measured() },
		differs: recovers,
	},
	{
		field: "Logger", wirings: bothServers,
		server: func(c *server.Config, w *world) { c.Logger = w.logger() },
		differs: func(k cell, want, got *exchange) {
			recovers(k, want, got)
			want.Logs, want.Own = nil, want.Logs
		},
	},
}

// transportRows has a row for each field of servergrpc.Transport, on a server whose Config is empty. Over HTTP the server
// has no such settings, and the row is as empty as the first.
var transportRows = []row{
	{field: "", wirings: withSettings, transport: new(servergrpc.Transport), differs: recovers},
	{field: "Workers", wirings: withSettings, transport: &servergrpc.Transport{Workers: 2}, differs: recovers},
	{field: "PingTime", wirings: withSettings, transport: &servergrpc.Transport{PingTime: time.Minute}, differs: recovers},
}
