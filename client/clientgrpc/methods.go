package clientgrpc

import (
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// methods knows what the protos that are linked into the program say of their methods.
var methods methodTable

// method is what a proto says of a method. One that no proto describes may not be executed twice.
type method struct{ idempotent, streaming bool }

// methodTable remembers what it has looked up.
type methodTable struct {
	known sync.Map // full method name to method
	size  atomic.Int64
}

// maxKnown bounds the table: a program that passes on calls of any name must not grow for ever.
const maxKnown = 10_000

// of looks a method up by its full name ("/shop.Orders/Place").
func (t *methodTable) of(full string) method {
	if m, ok := t.known.Load(full); ok {
		return m.(method)
	}
	m := lookup(full)
	if t.size.Load() < maxKnown {
		t.size.Add(1)
		t.known.Store(full, m)
	}
	return m
}

func lookup(full string) method {
	name := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(full, "/"), "/", "."))
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return method{}
	}
	md, ok := d.(protoreflect.MethodDescriptor)
	if !ok {
		return method{}
	}
	return method{idempotent: idempotent(md), streaming: md.IsStreamingClient() || md.IsStreamingServer()}
}

func idempotent(md protoreflect.MethodDescriptor) bool {
	opts, ok := md.Options().(*descriptorpb.MethodOptions)
	return ok && opts.GetIdempotencyLevel() != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN
}

// streaming calls f for every streaming method of the linked protos.
func streaming(f func(md protoreflect.MethodDescriptor)) {
	protoregistry.GlobalFiles.RangeFiles(func(fd protoreflect.FileDescriptor) bool {
		for i := range fd.Services().Len() {
			ms := fd.Services().Get(i).Methods()
			for j := range ms.Len() {
				if md := ms.Get(j); md.IsStreamingClient() || md.IsStreamingServer() {
					f(md)
				}
			}
		}
		return true
	})
}
