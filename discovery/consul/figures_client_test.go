//go:build unix

package consul

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// clientEnv has a test binary be a client of its own process, whose CPU time can be told from that of everything else:
// where Consul is, or a number of endpoints that it does not ask Consul for; where all calls go whatever the endpoint is; and
// the services to watch.
const clientEnv = "INTRAMESH_FIGURES_CLIENT"

// usage is what the client has used, and what its calls since the last time took.
type usage struct {
	CPU, P50, P99, Max time.Duration
	Calls, Failed      int
	RSS                int64 // the most memory that it has had, as the operating system counts
}

// TestFiguresClient is that client. It obeys what is written to it: "call" and "rest" begin and end calls at a constant
// rate, "usage" asks for a line of JSON.
func TestFiguresClient(t *testing.T) {
	args := strings.Fields(os.Getenv(clientEnv))
	if len(args) < 3 {
		t.Skip("runs only for TestFigures")
	}
	var source discovery.Source = newPlane(t, Config{Address: args[0]})
	if n, err := strconv.Atoi(args[0]); err == nil {
		var all []discovery.Endpoint
		for i := range n {
			all = append(all, discovery.Endpoint{Addr: crowdAddress(i) + ":8080"})
		}
		source = discovery.Static{args[2]: all}
	}
	c, err := client.New(client.Config{
		Discovery: source, Resilience: resilience.Config{Default: resilience.Standard()}, Logger: slog.New(slog.DiscardHandler),
		Dial: func(ctx context.Context, _ discovery.Endpoint) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", args[1])
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Ready(t.Context(), args[2:]...); err != nil {
		t.Fatal(err)
	}
	caller := &caller{http: &http.Client{Transport: c.Transport(nil)}, url: "mesh://" + args[2] + "/"}
	defer caller.rest()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		switch in.Text() {
		case "call":
			caller.call(t.Context())
		case "rest":
			caller.rest()
		case "usage":
			_ = json.NewEncoder(os.Stdout).Encode(caller.usage()) //nolint:errchkjson // plain numbers
		}
	}
}

// caller makes 100 calls a second, each when it is its time, so that one that is slow delays no other.
type caller struct {
	http *http.Client
	url  string
	stop context.CancelFunc
	all  sync.WaitGroup

	mu     sync.Mutex
	took   []time.Duration
	failed int
}

func (c *caller) call(ctx context.Context) {
	ctx, c.stop = context.WithCancel(ctx)
	c.all.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case due := <-tick.C:
				c.all.Go(func() { c.one(due) })
			}
		}
	})
}

func (c *caller) one(due time.Time) {
	resp, err := c.http.Get(c.url)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failed++
	}
	c.took = append(c.took, time.Since(due))
}

func (c *caller) rest() {
	if c.stop != nil {
		c.stop()
		c.all.Wait()
	}
}

func (c *caller) usage() usage {
	c.mu.Lock()
	defer c.mu.Unlock()
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	u := usage{CPU: time.Duration(r.Utime.Nano() + r.Stime.Nano()), Calls: len(c.took), Failed: c.failed, RSS: r.Maxrss << 10}
	u.P50, u.P99, u.Max = quantile(c.took, 0.5), quantile(c.took, 0.99), quantile(c.took, 1)
	c.took, c.failed = nil, 0
	return u
}

// quantile is the smallest value that the share q of all does not exceed; 0 where there are none.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return all[min(int(q*float64(len(all))), len(all)-1)]
}

// clientProcess is a client that runs.
type clientProcess struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Scanner
	cmd *exec.Cmd
}

func startClient(t *testing.T, args ...string) *clientProcess {
	t.Helper()
	p := &clientProcess{t: t, cmd: exec.Command(os.Args[0], "-test.run=^TestFiguresClient$", "-test.timeout=30m")}
	p.cmd.Env = append(os.Environ(), clientEnv+"="+strings.Join(args, " "))
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	p.usage() // it is ready
	return p
}

func (p *clientProcess) end() {
	p.in.Close()
	_ = p.cmd.Wait() // again, with the test: it has ended
}

func (p *clientProcess) say(word string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, word); err != nil {
		p.t.Fatal(err)
	}
}

func (p *clientProcess) usage() usage {
	p.t.Helper()
	p.say("usage")
	for p.out.Scan() {
		var u usage
		if line := p.out.Text(); strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &u) == nil {
			return u
		}
	}
	p.t.Fatal("the client has ended")
	return usage{}
}

// share is the part of a core that it used in a time.
func (u usage) share(d time.Duration) string {
	return fmt.Sprintf("%.2f %% of a core", 100*float64(u.CPU)/float64(d))
}

// over is what it uses in a time.
func (p *clientProcess) over(d time.Duration) usage {
	p.t.Helper()
	before := p.usage()
	end := time.NewTimer(d)
	defer end.Stop()
	<-end.C
	after := p.usage()
	after.CPU -= before.CPU
	return after
}
