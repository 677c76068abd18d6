package telemetry_test

import (
	"log/slog"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/intramesh/intramesh/client"
	"github.com/intramesh/intramesh/client/traffic"
	"github.com/intramesh/intramesh/discovery"
	"github.com/intramesh/intramesh/telemetry"
)

// A route's own answer over HTTP is what the caller gets, and no error: a redirection is not one that dashboards count.
func TestAnswersOfRoutes(t *testing.T) {
	for _, tt := range []struct {
		route          traffic.Route
		status, failed string
		code           codes.Code
	}{
		{traffic.Route{Respond: &traffic.Response{Status: 200}}, "200", "", codes.Unset},
		{traffic.Route{Redirect: &traffic.Redirect{Path: "/x"}}, "301", "", codes.Unset},
		{traffic.Route{Respond: &traffic.Response{Status: 503}}, "503", "503", codes.Error},
	} {
		p := newProcess(t, telemetry.Config{})
		c, err := client.New(client.Config{
			Discovery: discovery.Static{"orders": {{Addr: "a:80"}}}, Telemetry: p.tel, Logger: slog.New(slog.DiscardHandler),
			Traffic: traffic.Policy{Routes: []traffic.Route{tt.route}},
		})
		if err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://orders/", nil)
		resp, err := c.Transport(nil).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		c.Close()
		s := p.span(trace.SpanKindClient, "GET")
		if attr(s, "http.response.status_code") != tt.status || attr(s, "error.type") != tt.failed || s.Status.Code != tt.code || len(s.Events) > 0 {
			t.Errorf("%s: %v, %v, events %v", tt.status, s.Attributes, s.Status, s.Events)
		}
	}
}
