package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/intramesh/intramesh/discovery/balance"
)

var line = regexp.MustCompile(`^pick \S+ n=\d+ [0-9.]+ns$|^(grpc-unary|grpc-stream|http1|http2) c=[12] (` +
	`plain cpu=[0-9.]+us allocs=\d+ p50=[0-9.]+us p99=[0-9.]+us calls/s=\d+|` +
	`\S+ cpu=[0-9.]+x tuned=[0-9.]+x allocs=[+-]\d+ p50=[0-9.]+x p99=[0-9.]+x spread=[0-9.]+-[0-9.]+x)$`)

// TestRun makes every implementation work for a moment: each call checks its answer.
func TestRun(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "cpu")
	o, err := parse([]string{"-for", "20ms", "-rounds", "2", "-c", "1,2", "-endpoints", "2", "-cpuprofile", profile})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := profiled(o, &out); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Stat(profile); err != nil || f.Size() == 0 {
		t.Errorf("no profile: %v", err)
	}
	want := 3 * len(balance.Algorithms())
	for _, b := range benchmarks {
		want += len(b.implementations) * len(o.concurrency)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != want {
		t.Errorf("%d lines, want %d", len(lines), want)
	}
	for _, l := range lines {
		if !line.MatchString(l) {
			t.Errorf("unexpected line: %s", l)
		}
	}
}

// TestWarmUp opens streams right after it: they meet connections to all servers, so that two of them never share one.
func TestWarmUp(t *testing.T) {
	const servers = 3
	keys, err := newPKI()
	if err != nil {
		t.Fatal(err)
	}
	peers := make(map[string]int)
	open := func(conn *grpc.ClientConn, r *rig) (op, error) {
		ctx, cancel := context.WithCancel(t.Context())
		r.onClose(cancel)
		s, err := conn.NewStream(ctx, &echo.Streams[0], "/bench.Echo/Stream")
		if err != nil {
			return nil, err
		}
		if err := errors.Join(s.SendMsg(wrapperspb.Bytes(message)), s.RecvMsg(new(wrapperspb.BytesValue))); err != nil {
			return nil, err
		}
		p, _ := peer.FromContext(s.Context())
		peers[p.Addr.String()]++
		return nil, nil
	}
	r := new(rig)
	defer r.close()
	if err := tunedGRPC(setup{pki: keys, callers: 2 * servers, endpoints: servers}, r, open); err != nil {
		t.Fatal(err)
	}
	for addr, n := range peers {
		if n != 2 {
			t.Errorf("%d streams at %s, want 2", n, addr)
		}
	}
	if len(peers) != servers {
		t.Errorf("streams at %d servers, want %d", len(peers), servers)
	}
}

func TestRunNoCase(t *testing.T) {
	if err := run(options{cases: regexp.MustCompile("nothing")}, new(bytes.Buffer)); err == nil {
		t.Error("no error although nothing was measured")
	}
}

func TestFailedCall(t *testing.T) {
	if _, err := newMeter(1).measure([]op{func() error { return errAnswer }}, time.Second); !errors.Is(err, errAnswer) {
		t.Errorf("error %v", err)
	}
}

func TestReport(t *testing.T) {
	plain := []sample{{10e-6, 100, 20e-6, 40e-6, 1000}, {30e-6, 102, 60e-6, 80e-6, 500}, {20e-6, 101, 40e-6, 60e-6, 800}}
	ours := []sample{{11e-6, 110, 20e-6, 44e-6, 0}, {36e-6, 113, 66e-6, 88e-6, 0}, {20e-6, 111, 44e-6, 66e-6, 0}}
	if got, want := absolute(plain), "cpu=20.0us allocs=101 p50=40.0us p99=60.0us calls/s=800"; got != want {
		t.Errorf("absolute: %s, want %s", got, want)
	}
	tuned := []sample{{cpu: 10e-6}, {cpu: 30e-6}, {cpu: 25e-6}}
	want := "cpu=1.10x tuned=1.10x allocs=+10 p50=1.10x p99=1.10x spread=1.00-1.20x"
	if got := relative(ours, plain, tuned); got != want {
		t.Errorf("relative: %s, want %s", got, want)
	}
}

func TestFlags(t *testing.T) {
	for _, args := range []string{"-c 0", "-c x", "-rounds 0", "-for 0s", "-endpoints -1", "-case ("} {
		if _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("%s was accepted", args)
		}
	}
}
