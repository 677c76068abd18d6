package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// protoset is a set of descriptors of shop.v1.Orders: Get has no side effects, Cancel is idempotent, Place, Change, Ship and
// Refund say nothing.
func protoset(t testing.TB) []byte {
	t.Helper()
	level := func(l descriptorpb.MethodOptions_IdempotencyLevel) *descriptorpb.MethodOptions {
		return &descriptorpb.MethodOptions{IdempotencyLevel: l.Enum()}
	}
	s := &descriptorpb.ServiceDescriptorProto{Name: new("Orders")}
	for _, m := range []struct {
		name    string
		options *descriptorpb.MethodOptions
	}{
		{"Get", level(descriptorpb.MethodOptions_NO_SIDE_EFFECTS)}, {"Cancel", level(descriptorpb.MethodOptions_IDEMPOTENT)},
		{"Place", nil}, {"Change", level(descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN)}, {"Ship", nil}, {"Refund", nil},
	} {
		s.Method = append(s.Method, &descriptorpb.MethodDescriptorProto{Name: new(m.name), Options: m.options})
	}
	data, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		{Name: new("shop.proto"), Package: new("shop.v1"), Service: []*descriptorpb.ServiceDescriptorProto{s}},
		{Name: new("bare.proto"), Service: []*descriptorpb.ServiceDescriptorProto{{Name: new("Bare")}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestUnsafeCalls: gRPC methods that a match names and a protoset does not call idempotent.
func TestUnsafeCalls(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.binpb")
	if err := os.WriteFile(file, protoset(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for match, want := range map[string]string{
		"{uri: {exact: /shop.v1.Orders/Place}}":                      "shop.v1.Orders/Place",
		"{uri: {exact: /shop.v1.Orders/Get}}":                        "",
		"{uri: {exact: /shop.v1.Orders/Cancel}}":                     "",
		"{uri: {prefix: /shop.v1.Orders/}}":                          "shop.v1.Orders/Change, shop.v1.Orders/Place, shop.v1.Orders/Refund and 1 more",
		"{uri: {regex: '/shop\\.v1\\.Orders/(Get|Ship)'}}":           "shop.v1.Orders/Ship",
		"{uri: {exact: /SHOP.v1.Orders/place}, ignoreUriCase: true}": "shop.v1.Orders/Place",
		"{uri: {prefix: /shop.v1.Orders/}, method: {exact: GET}}":    "",
		"{uri: {prefix: /shop.v1.Carts/}}":                           "",
		"{headers: {content-type: {prefix: application/grpc}}}":      "",
	} {
		text := entryFor("orders", "v1") + "VirtualService a: {hosts: [orders], http: [{match: [" + match +
			"], route: [{destination: {host: orders}}], retries: {attempts: 1, retryOn: unavailable}}]}"
		found, _ := lintOf(t, LintOptions{Protosets: []string{file}}, text)
		names, _, is := strings.Cut(strings.TrimPrefix(found, "warning VirtualService/a: spec.http[0].retries: "), " is repeated on \"unavailable\"")
		if is != (want != "") || names != want {
			t.Errorf("%s: %s; want %q", match, found, want)
		}
		if found, _ := lintOf(t, LintOptions{}, text); found != "" {
			t.Errorf("%s without a protoset: %s", match, found)
		}
	}
}

// TestProtosetErrors: a file that cannot be read is an error with its name.
func TestProtosetErrors(t *testing.T) {
	dir := t.TempDir()
	bad, empty, missing := filepath.Join(dir, "bad"), filepath.Join(dir, "empty"), filepath.Join(dir, "missing")
	for name, data := range map[string]string{bad: "syntax = \"proto3\";", empty: ""} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{bad, empty, missing, dir} {
		_, r := lintOf(t, LintOptions{Protosets: []string{name}}, entryFor("orders", "v1"))
		if len(r.Findings) != 1 || r.Findings[0].File != name || r.Findings[0].Severity != Error || r.State != nil {
			t.Errorf("%s: %v", name, r.Findings)
		}
	}
}

// FuzzProtoset: no panic, and names are never lost of what is read.
func FuzzProtoset(f *testing.F) {
	f.Add(protoset(f))
	f.Add([]byte{})
	f.Add([]byte{0x0a, 0x02, 0x32, 0x00})
	f.Add([]byte("syntax = \"proto3\";"))
	f.Fuzz(func(t *testing.T, data []byte) {
		methods, err := parseProtoset(data)
		if err != nil && methods != nil {
			t.Errorf("%v, and %d methods", err, len(methods))
		}
		for _, m := range methods {
			if len(m.path()) != len(m.service)+len(m.method)+2 {
				t.Errorf("%q", m.path())
			}
		}
	})
}
