package client_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/resilience"
)

// TestConfigErrors name the field and the value.
func TestConfigErrors(t *testing.T) {
	static := discovery.Static{"orders": {{Addr: "127.0.0.1:80"}}}
	for _, tt := range []struct {
		cfg  client.Config
		want []string
	}{
		{client.Config{Balance: "best"}, []string{"Config.Balance", "best"}},
		{client.Config{Hosts: []string{"orders"}}, []string{"Config.Hosts", "orders", "needs Config.Discovery"}},
		{client.Config{Discovery: static, Hosts: []string{"ok", "http://x"}}, []string{"Hosts[1]", "http://x"}},
		{client.Config{Discovery: static, Hosts: []string{"*.x"}}, []string{"Hosts[0]", "*.x", "wildcard"}},
		{client.Config{Discovery: static, Hosts: []string{"x:80", ".", ""}}, []string{"Hosts[0]", "Hosts[1]", "Hosts[2]"}},
		{client.Config{Discovery: discovery.Static{"orders": {{Addr: "nowhere"}}}}, []string{"Config.Discovery", "orders[0]", "nowhere"}},
		{
			client.Config{Resilience: resilience.Config{Default: resilience.Policy{Retry: &resilience.Retry{Retries: 11}}}, Balance: "b"},
			[]string{"Config.Resilience", "Retry.Retries", "11", "Config.Balance"},
		},
	} {
		c, err := client.New(tt.cfg)
		if err == nil || c != nil {
			t.Fatalf("%+v was taken", tt.cfg)
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v: does not say %q", err, want)
			}
		}
	}
}

// TestEverythingElseGoesToBase untouched: the very request, under no policy.
func TestEverythingElseGoesToBase(t *testing.T) {
	var got []*http.Request
	base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		got = append(got, r)
		return &http.Response{StatusCode: 503, Body: http.NoBody}, nil
	})
	wrapped := 0
	c := newClient(t, client.Config{
		Discovery: discovery.Static{"orders": {{Addr: "a:80"}}}, Resilience: standard,
		WrapAttempt: func(rt http.RoundTripper) http.RoundTripper {
			return roundTripFunc(func(r *http.Request) (*http.Response, error) {
				wrapped++
				return rt.RoundTrip(r)
			})
		},
	})
	rt := c.Transport(base)
	c.Close() // what is not the mesh's does not end with it
	req := request(t, http.MethodGet, "http://example.com/", nil)
	resp, err := rt.RoundTrip(req)
	text(t, resp, err)
	if len(got) != 1 || got[0] != req || wrapped != 0 {
		t.Errorf("base saw %d requests, WrapAttempt %d", len(got), wrapped)
	}
}

// TestDirect: without discovery the rest of the mesh works over base.
func TestDirect(t *testing.T) {
	var numbers []string
	base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		numbers = append(numbers, r.Header.Get("X-Envoy-Attempt-Count"))
		if len(numbers) < 3 {
			return &http.Response{StatusCode: 503, Body: http.NoBody}, nil
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	wrapped := 0
	c := newClient(t, client.Config{Resilience: standard, WrapAttempt: func(rt http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(r *http.Request) (*http.Response, error) {
			wrapped++
			return rt.RoundTrip(r)
		})
	}})
	var info client.Info
	ctx := client.With(t.Context(), client.Options{Info: &info})
	resp, err := c.Transport(base).RoundTrip(requestWith(t, ctx, http.MethodGet, "https://example.com:8443/", nil))
	text(t, resp, err)
	if resp.StatusCode != 200 || strings.Join(numbers, ",") != ",2,3" || wrapped != 3 {
		t.Errorf("status %d after attempts %q, WrapAttempt saw %d", resp.StatusCode, numbers, wrapped)
	}
	if info.Service != "example.com:8443" || info.Endpoint != "" || len(info.Attempts) != 3 {
		t.Errorf("%+v", info)
	}
	_, err = c.Transport(base).RoundTrip(request(t, http.MethodGet, "mesh://orders/", nil)) //nolint:bodyclose // there is none
	var e *client.Error
	if !errors.As(err, &e) || e.Reason != client.Invalid {
		t.Errorf("mesh:// without discovery: %v", err)
	}
}

// TestReadyWithoutDiscovery has nothing to wait for.
func TestReadyWithoutDiscovery(t *testing.T) {
	if err := newClient(t, client.Config{}).Ready(context.Background(), "orders"); err != nil {
		t.Error(err)
	}
}
