package discovery

import (
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	for _, addr := range []string{
		"127.0.0.1:8080", "[::1]:80", "[fe80::1%eth0]:80", "localhost:1", "orders.shop.svc.cluster.local.:65535",
		"a_b-c:80", "unix:/run/x.sock", "unix:@abstract",
	} {
		if err := (Endpoint{Addr: addr}).Validate(); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
	for addr, want := range map[string]string{
		"":                                "empty",
		"127.0.0.1":                       "host:port",
		":8080":                           "no host",
		"h:":                              "port",
		"h:0":                             "port",
		"h:65536":                         "port",
		"h:+80":                           "port",
		"h:http":                          "port",
		"::1:80":                          "host:port",
		"a b:80":                          "host name",
		"a..b:80":                         "host name",
		"http://h:80":                     "host:port",
		"256.1.1.1:80":                    "not an IP address",
		"10.0.0:80":                       "not an IP address",
		strings.Repeat("a", 64) + ":80":   "host name",
		strings.Repeat("a.", 130) + ":80": "253",
		"unix:":                           "no path",
		"h\n:80":                          "control",
		"b\u00fccher:80":                  "host name",
	} {
		err := (Endpoint{Addr: addr}).Validate()
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "addr") {
			t.Errorf("%q: got %v, expected something of %q", addr, err, want)
		}
	}
}

func TestValidateID(t *testing.T) {
	for id, ok := range map[string]bool{
		"spiffe://shop/orders": true, "spiffe://shop": true, "": true,
		"orders": false, "https://shop/orders": false, "spiffe:///orders": false, "spiffe://shop:80/x": false,
		"spiffe://u@shop/x": false, "spiffe://shop/x?q": false, "spiffe://shop/x#f": false,
	} {
		if err := (Endpoint{Addr: "h:1", ID: id}).Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestStaticValidate(t *testing.T) {
	err := Static{
		"good": {{Addr: "h:1"}, {Addr: "h:2"}}, "none": nil,
		"":       {{Addr: "h:1"}},
		"twice":  {{Addr: "h:1"}, {Addr: "h:1"}},
		"noport": {{Addr: "h"}},
		"a/b":    nil,
	}.Validate()
	if err == nil {
		t.Fatal("all is well")
	}
	for _, want := range []string{"discovery: static: ", "is empty", "twice[1]", "noport[0]", `"a/b"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "good") || strings.Contains(err.Error(), "none") {
		t.Errorf("the good ones are blamed: %v", err)
	}
	if err := (Static{"good": {{Addr: "h:1"}}}).Validate(); err != nil {
		t.Error(err)
	}
}
