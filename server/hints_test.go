package server

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/intramesh/intramesh/internal/stack"
)

func TestReadHints(t *testing.T) {
	const envoy, connect, grpc, attempt = "X-Envoy-Expected-Rq-Timeout-Ms", "Connect-Timeout-Ms", "Grpc-Timeout",
		"X-Envoy-Attempt-Count"
	for _, tc := range []struct {
		name    string
		header  http.Header
		timed   bool
		left    time.Duration
		attempt int
	}{
		{"nothing", http.Header{}, false, 0, 0},
		{"envoy", http.Header{envoy: {"1500"}}, true, 1500 * time.Millisecond, 0},
		{"connect", http.Header{connect: {"20"}}, true, 20 * time.Millisecond, 0},
		{"grpc", http.Header{grpc: {"7S"}}, true, 7 * time.Second, 0},
		{"grpc units", http.Header{grpc: {"3M"}}, true, 3 * time.Minute, 0},
		{"grpc milli", http.Header{grpc: {"3m"}}, true, 3 * time.Millisecond, 0},
		{"grpc micro", http.Header{grpc: {"3u"}}, true, 3 * time.Microsecond, 0},
		{"grpc nano", http.Header{grpc: {"3n"}}, true, 3, 0},
		{"grpc longest", http.Header{grpc: {"99999999H"}}, true, math.MaxInt64, 0},
		{"shortest wins", http.Header{envoy: {"900"}, connect: {"300"}, grpc: {"1S"}}, true, 300 * time.Millisecond, 0},
		{"malformed beside good", http.Header{envoy: {"soon"}, connect: {"300"}}, true, 300 * time.Millisecond, 0},
		{"over", http.Header{envoy: {"0"}}, true, 0, 0},
		{"long over", http.Header{envoy: {"-12"}, connect: {"5"}}, true, 0, 0},
		{"very long", http.Header{envoy: {"999999999999999999"}}, true, math.MaxInt64, 0},
		{"too long", http.Header{envoy: {"9999999999999999999"}}, false, 0, 0},
		{"plus", http.Header{envoy: {"+5"}}, false, 0, 0},
		{"space", http.Header{envoy: {" 5"}}, false, 0, 0},
		{"list", http.Header{envoy: {"5,6"}}, false, 0, 0},
		{"fraction", http.Header{envoy: {"1.5"}}, false, 0, 0},
		{"empty", http.Header{envoy: {""}, connect: {"-"}, grpc: {"S"}}, false, 0, 0},
		{"grpc nine digits", http.Header{grpc: {"123456789S"}}, false, 0, 0},
		{"grpc no unit", http.Header{grpc: {"12"}}, false, 0, 0},
		{"grpc negative", http.Header{grpc: {"-1S"}}, false, 0, 0},
		{"attempt", http.Header{attempt: {"3"}}, false, 0, 3},
		{"attempt malformed", http.Header{attempt: {"3x"}}, false, 0, 0},
		{"attempt negative", http.Header{attempt: {"-3"}}, false, 0, 0},
		{"attempt without end", http.Header{attempt: {strings.Repeat("9", 40)}}, false, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c stack.Serve
			readHints(&c, tc.header)
			if c.Timed != tc.timed || c.Left != tc.left || c.Attempt != tc.attempt {
				t.Errorf("timed %v, left %v, attempt %d", c.Timed, c.Left, c.Attempt)
			}
		})
	}
}

func FuzzReadHints(f *testing.F) {
	f.Add("1500", "20", "7S", "3")
	f.Add("-1", "99999999999", "99999999H", "0")
	f.Add("999999999999999999", "", "1n", "999999999")
	f.Add(" 5", "+5", "\u0665S", "0x1")
	f.Fuzz(func(t *testing.T, envoy, connect, grpc, attempt string) {
		var c stack.Serve
		readHints(&c, http.Header{
			deadlineName: {envoy}, connectDeadlineName: {connect}, grpcDeadlineName: {grpc}, attemptName: {attempt},
		})
		if c.Left < 0 || (!c.Timed && c.Left != 0) {
			t.Errorf("left %v, timed %v", c.Left, c.Timed)
		}
		if c.Attempt < 0 || c.Attempt > 999_999_999 {
			t.Errorf("attempt %d", c.Attempt)
		}
	})
}
