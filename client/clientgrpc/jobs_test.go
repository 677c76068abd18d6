package clientgrpc_test

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// The methods of a service that exists in these tests alone; its proto says which may be executed twice.
const (
	get   = "/meshtest.Jobs/Get"   // unary, NO_SIDE_EFFECTS
	put   = "/meshtest.Jobs/Put"   // unary
	watch = "/meshtest.Jobs/Watch" // server stream, NO_SIDE_EFFECTS
	feed  = "/meshtest.Jobs/Feed"  // both ways, IDEMPOTENT
	push  = "/meshtest.Jobs/Push"  // both ways
)

var (
	outputs = &grpc.StreamDesc{StreamName: "Watch", ServerStreams: true}
	duplex  = &grpc.StreamDesc{StreamName: "Feed", ServerStreams: true, ClientStreams: true}
)

func init() {
	pure, twice := descriptorpb.MethodOptions_NO_SIDE_EFFECTS, descriptorpb.MethodOptions_IDEMPOTENT
	unknown := descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN
	method := func(name string, level descriptorpb.MethodOptions_IdempotencyLevel, in, out bool) *descriptorpb.MethodDescriptorProto {
		return &descriptorpb.MethodDescriptorProto{
			Name: new(name), InputType: new(".grpc.testing.SimpleRequest"),
			OutputType: new(".grpc.testing.SimpleResponse"), ClientStreaming: &in, ServerStreaming: &out,
			Options: &descriptorpb.MethodOptions{IdempotencyLevel: &level},
		}
	}
	fd, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new("meshtest/jobs.proto"), Package: new("meshtest"), Syntax: new("proto3"),
		Dependency: []string{testpb.File_grpc_testing_messages_proto.Path()},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: new("Jobs"),
			Method: []*descriptorpb.MethodDescriptorProto{
				method("Get", pure, false, false), method("Put", unknown, false, false), method("Watch", pure, false, true),
				method("Feed", twice, true, true), method("Push", unknown, true, true),
			},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	if err := protoregistry.GlobalFiles.RegisterFile(fd); err != nil {
		panic(err)
	}
}

// jobs is what a server of Jobs does with a call of any kind.
type jobs func(method string, s grpc.ServerStream) error

// server makes a gRPC server whose every method is f.
func (f jobs) server(opts ...grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append(opts, grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
		m, _ := grpc.MethodFromServerStream(s)
		return f(m, s)
	}))...)
}

// answer reads one request and answers with the server's name.
func answer(name string) jobs {
	return func(_ string, s grpc.ServerStream) error {
		if err := s.RecvMsg(new(testpb.SimpleRequest)); err != nil {
			return err
		}
		return s.SendMsg(&testpb.SimpleResponse{ServerId: name})
	}
}

// echo answers every message, with the server's name, until the client has no more.
func echo(name string) jobs {
	return func(_ string, s grpc.ServerStream) error {
		for {
			in := new(testpb.SimpleRequest)
			if err := s.RecvMsg(in); err != nil {
				if strings.Contains(err.Error(), "EOF") {
					return nil
				}
				return err
			}
			if err := s.SendMsg(&testpb.SimpleResponse{ServerId: name, Payload: in.Payload}); err != nil {
				return err
			}
		}
	}
}

// invoke makes a unary call and gives the name of the server that answered.
func invoke(ctx context.Context, cc grpc.ClientConnInterface, method string, opts ...grpc.CallOption) (string, error) {
	out := new(testpb.SimpleResponse)
	err := cc.Invoke(ctx, method, new(testpb.SimpleRequest), out, opts...)
	return out.ServerId, err
}
