package traffic

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/intramesh/intramesh/resilience"
)

func named(name string) Settings { return Settings{TLS: &TLS{ServerName: name}} }

func TestTheMostParticularDestinationCounts(t *testing.T) {
	table, err := Compile(Policy{Destinations: []Destination{
		{Service: "*", Settings: named("all")},
		{Service: "*", Port: 90, Settings: named("all-90")},
		{Service: "*.shop", Settings: named("shop")},
		{Service: "*.eu.shop", Port: 90, Settings: named("eu-90")},
		{Service: "a.eu.shop", Settings: named("a")},
		{Service: "Orders", Port: 80, Settings: named("orders-80")},
		{Service: "silent"},
	}}, Local{})
	if err != nil {
		t.Fatal(err)
	}
	for service, want := range map[string]string{
		"x": "all", "x:90": "all-90", "x:80": "all", "b.shop": "shop", "b.shop:90": "shop", "b.eu.shop": "shop", "b.eu.shop:90": "eu-90",
		"a.eu.shop:90": "a", "A.EU.shop": "a", "orders:80": "orders-80", "orders": "all", "shop": "all", "silent": "", "silent:90": "",
	} {
		got, err := table.Settings(service, "")
		if err != nil || (got == nil) != (want == "") || got != nil && got.TLS.ServerName != want {
			t.Errorf("%s: %+v, %v, want %q", service, got, err, want)
		}
		if again, _ := table.Settings(service, ""); again != got {
			t.Errorf("%s: another pointer the second time", service)
		}
	}
}

func TestSubsetsReplaceParts(t *testing.T) {
	base := Settings{
		Balance: &Balance{Algorithm: "random"}, TLS: &TLS{ServerName: "a"}, Connections: &Connections{MaxRequests: 1},
		Resilience: resilience.Policy{Retry: &resilience.Retry{Retries: 3}, Timeout: &resilience.Timeout{Reply: time.Second}},
	}
	table, err := Compile(Policy{Destinations: []Destination{{Service: "orders", Settings: base, Subsets: []Subset{
		{Name: "v1", Labels: map[string]string{"version": "1"}, Settings: Settings{
			Balance: &Balance{Choices: 3}, Resilience: resilience.Policy{Retry: &resilience.Retry{Retries: 1}},
		}},
		{Name: "same"},
	}}, {Service: "users", Subsets: []Subset{{Name: "v1"}}}}}, Local{})
	if err != nil {
		t.Fatal(err)
	}
	want := base
	want.Balance, want.Resilience.Retry = &Balance{Choices: 3}, &resilience.Retry{Retries: 1}
	if got, err := table.Settings("orders:80", "v1"); err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if got, err := table.Settings("orders", "same"); err != nil || !reflect.DeepEqual(*got, base) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := table.Settings("users", "v1"); got != nil || err != nil {
		t.Errorf("a subset of which nothing is said: %+v, %v", got, err)
	}
	if labels, err := table.Subset("orders", "v1"); err != nil || labels["version"] != "1" {
		t.Errorf("%v, %v", labels, err)
	}
	if labels, err := table.Subset("orders", ""); labels != nil || err != nil {
		t.Errorf("%v, %v", labels, err)
	}
	for _, service := range []string{"orders", "unheard-of"} {
		_, err := table.Settings(service, "v9")
		_, err2 := table.Subset(service, "v9")
		if !errors.Is(err, ErrUnknownSubset) || !errors.Is(err2, ErrUnknownSubset) {
			t.Errorf("%s: %v, %v", service, err, err2)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = table.Settings("orders:80", "v1") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWhereATargetIs(t *testing.T) {
	for _, tt := range []struct {
		to           Backend
		called, want string
	}{
		{Backend{}, "orders", "orders"},
		{Backend{}, "orders:8080", "orders:8080"},
		{Backend{Port: 81}, "orders", "orders:81"},
		{Backend{Port: 81}, "orders:8080", "orders:81"},
		{Backend{Port: 81}, "[::1]:8080", "[::1]:81"},
		{Backend{Service: "new"}, "orders", "new"},
		{Backend{Service: "new"}, "orders:8080", "new:8080"},
		{Backend{Service: "new", Port: 81}, "orders:8080", "new:81"},
	} {
		target := ruleFor(t, Route{To: []Backend{tt.to}}, &Request{Service: tt.called}).Targets[0]
		for range 2 {
			if got := target.Service(tt.called); got != tt.want {
				t.Errorf("%+v of %s: %s, want %s", tt.to, tt.called, got, tt.want)
			}
		}
		if n := testing.AllocsPerRun(10, func() { target.Service(tt.called) }); n != 0 {
			t.Errorf("%+v: %v allocations", tt.to, n)
		}
		m := Mirror{Service: tt.to.Service, Port: tt.to.Port}
		if got := m.Destination(tt.called); got != tt.want {
			t.Errorf("mirror %+v of %s: %s, want %s", m, tt.called, got, tt.want)
		}
	}
}
