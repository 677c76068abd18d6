package consul

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/consul/api"

	"github.com/intramesh/intramesh/discovery"
)

func entry(t testing.TB, text string) *api.ServiceEntry {
	t.Helper()
	e := new(api.ServiceEntry)
	if err := json.Unmarshal([]byte(text), e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRead(t *testing.T) {
	const node = `"Node": {"Address": "10.0.0.9", "Datacenter": "dc1", "TaggedAddresses": {"wan": "1.2.3.4"},
		"Locality": {"Region": "eu", "Zone": "b"}}`
	for _, c := range []struct {
		name, entry string
		reader      reader
		trustDomain string
		want        []discovery.Endpoint
		bad         int
	}{
		{name: "own address", entry: `{` + node + `, "Service": {"Address": "10.0.0.1", "Port": 80, "Locality": {"Region": "us", "Zone": "a"}}}`,
			want: []discovery.Endpoint{{Addr: "10.0.0.1:80", Weight: 1, Region: "us", Zone: "a"}}},
		{name: "node's address and place", entry: `{` + node + `, "Service": {"Port": 80, "Weights": {"Passing": 7}}}`,
			want: []discovery.Endpoint{{Addr: "10.0.0.9:80", Weight: 7, Region: "eu", Zone: "b"}}},
		{name: "node's tagged address", reader: reader{tagged: "wan"}, entry: `{"Node": {"Address": "10.0.0.9", "TaggedAddresses": {"wan": "1.2.3.4"}}, "Service": {"Port": 80}}`,
			want: []discovery.Endpoint{{Addr: "1.2.3.4:80", Weight: 1}}},
		{name: "tagged address", reader: reader{tagged: "wan"}, entry: `{"Service": {"Address": "10.0.0.1", "Port": 80, "TaggedAddresses": {"wan": {"Address": "5.6.7.8", "Port": 90}}}}`,
			want: []discovery.Endpoint{{Addr: "5.6.7.8:90", Weight: 1}}},
		{name: "ipv6", entry: `{"Service": {"Address": "::1", "Port": 80}}`, want: []discovery.Endpoint{{Addr: "[::1]:80", Weight: 1}}},
		{name: "socket", entry: `{"Service": {"SocketPath": "/run/x"}}`, want: []discovery.Endpoint{{Addr: "unix:/run/x", Weight: 1}}},
		{name: "labels", entry: `{"Service": {"Address": "10.0.0.1", "Port": 80, "Tags": ["v=1", "w=1", "canary"], "Meta": {"v": "2", "spiffe-id": "spiffe://shop/orders"}}}`,
			want: []discovery.Endpoint{{Addr: "10.0.0.1:80", Weight: 1, ID: "spiffe://shop/orders", Metadata: map[string]string{"v": "2", "w": "1", "canary": "true"}}}},
		{name: "subzone", entry: `{` + node + `, "Service": {"Address": "10.0.0.1", "Port": 80, "Meta": {"locality-subzone": "rack-7"}}}`,
			want: []discovery.Endpoint{{Addr: "10.0.0.1:80", Weight: 1, Region: "eu", Zone: "b", SubZone: "rack-7"}}},
		{name: "connect", trustDomain: "x.consul", entry: `{` + node + `, "Service": {"Service": "orders", "Address": "10.0.0.1", "Port": 80, "Connect": {"Native": true}}}`,
			want: []discovery.Endpoint{{Addr: "10.0.0.1:80", Weight: 1, ID: "spiffe://x.consul/ns/default/dc/dc1/svc/orders", Region: "eu", Zone: "b"}}},
		{name: "connect in a partition", trustDomain: "x.consul", entry: `{"Service": {"Service": "orders", "Datacenter": "dc2", "Namespace": "n", "Partition": "p", "Address": "10.0.0.1", "Port": 80, "Connect": {"Native": true}}}`,
			want: []discovery.Endpoint{{Addr: "10.0.0.1:80", Weight: 1, ID: "spiffe://x.consul/ap/p/ns/n/dc/dc2/svc/orders"}}},
		{name: "critical", entry: `{"Service": {"Address": "10.0.0.1", "Port": 80}, "Checks": [{"Status": "critical"}]}`},
		{name: "maintenance", entry: `{"Service": {"Address": "10.0.0.1", "Port": 80}, "Checks": [{"CheckID": "_service_maintenance:x", "Status": "critical"}]}`},
		{name: "warning", entry: `{"Service": {"Address": "10.0.0.1", "Port": 80, "Weights": {"Warning": 2}}, "Checks": [{"Status": "warning"}]}`},
		{name: "warning taken", reader: reader{warning: true}, entry: `{"Service": {"Address": "10.0.0.1", "Port": 80, "Weights": {"Passing": 9, "Warning": 2}}, "Checks": [{"Status": "warning"}]}`,
			want: []discovery.Endpoint{{Addr: "10.0.0.1:80", Weight: 2}}},
		{name: "warning of no weight", reader: reader{warning: true}, entry: `{"Service": {"Address": "10.0.0.1", "Port": 80}, "Checks": [{"Status": "warning"}]}`},
		{name: "no port", entry: `{"Service": {"Address": "10.0.0.1"}}`, bad: 1},
		{name: "no address", entry: `{"Service": {"Port": 80}}`, bad: 1},
		{name: "no service", entry: `{}`, bad: 1},
		{name: "no check", entry: `{"Service": {"Address": "10.0.0.1", "Port": 80}, "Checks": [null]}`,
			want: []discovery.Endpoint{{Addr: "10.0.0.1:80", Weight: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := read([]*member{c.reader.member(entry(t, c.entry))}, c.trustDomain)
			if d := cmp.Diff(c.want, got.endpoints); d != "" || len(got.bad) != c.bad {
				t.Errorf("%s, bad: %v", d, got.bad)
			}
		})
	}
}

func TestNewestOfOneAddress(t *testing.T) {
	at := func(weight string, index string) *member {
		return reader{}.member(entry(t, `{"Service": {"Address": "a", "Port": 1, "Weights": {"Passing": `+weight+`}, "CreateIndex": `+index+`}}`))
	}
	for _, order := range [][]*member{{at("1", "10"), at("2", "20")}, {at("2", "20"), at("1", "10")}} {
		if got := read(order, "").endpoints; len(got) != 1 || got[0].Weight != 2 {
			t.Errorf("%v: the registration of index 20 should hold", got)
		}
	}
}

// FuzzRead checks that whatever Consul says, endpoints come out that keep discovery's promises.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`[{"Node": {"Address": "a"}, "Service": {"Service": "s", "Port": 1, "Connect": {"Native": true}}}, null, {"Service": null}]`), "wan")
	f.Add([]byte(`[{"Node": {"Address": "10.0.0.9", "Datacenter": "dc1", "TaggedAddresses": {"wan": "1.2.3.4"}, "Locality": {"Region": "eu", "Zone": "b"}},
		"Service": {"Kind": "connect-proxy", "Service": "a-proxy", "Port": 80, "Proxy": {"DestinationServiceName": "a"}, "Partition": "p", "Namespace": "n",
		"TaggedAddresses": {"wan": {"Address": "5.6.7.8", "Port": 90}}, "Weights": {"Passing": 7, "Warning": 99999999}, "Locality": {"Region": "us"},
		"Meta": {"spiffe-id": "", "locality-zone": "c"}, "CreateIndex": 9}, "Checks": [{"Status": "warning"}, null]}]`), "wan")
	f.Add([]byte(`[{"Service": {"SocketPath": "/run/x"}}, {"Service": {"SocketPath": "/run/x", "CreateIndex": 3}}, {"Service": {"Address": "a b", "Port": 80}}]`), "")
	f.Add([]byte(`[{"Service": {"Address": "::1", "Port": -1, "Weights": {"Passing": -5}, "Tags": ["=", ""]}}]`), "")
	f.Add([]byte(` [ {"Service": {"Address": "a}\\"]", "Port": 1}, "Checks": [null]} , {} ]`), "")
	f.Fuzz(func(t *testing.T, data []byte, tagged string) {
		var entries []*api.ServiceEntry
		good := json.Unmarshal(data, &entries) == nil && entries != nil && !slices.Contains(entries, nil)
		d := newDecoder(reader{warning: true, tagged: tagged})
		for range 2 { // the second time from memory
			err := d.read(iotest.OneByteReader(bytes.NewReader(data)))
			if (err == nil) != good || good && len(d.all) != len(entries) {
				t.Fatalf("%d instances and %v; encoding/json: %d, well %t", len(d.all), err, len(entries), good)
			}
		}
		seen := map[string]bool{}
		for _, e := range read(d.all, "t").endpoints {
			if err := e.Validate(); err != nil || seen[e.Addr] {
				t.Errorf("%+v: %v", e, err)
			}
			seen[e.Addr] = true
		}
	})
}
