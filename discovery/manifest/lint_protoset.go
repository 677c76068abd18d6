package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// protoMethod is a gRPC method as a file of descriptors declares it.
type protoMethod struct {
	service, method string // "shop.v1.Orders", "Place"
	idempotent      bool
}

func (m protoMethod) path() string { return "/" + m.service + "/" + m.method }

// maxProtoset is the largest file of descriptors that is read: well above that of a large monorepo.
const maxProtoset = 256 << 20

// readProtosets reads files of descriptors. A method that two of them declare is as the first one says.
func readProtosets(paths []string) (methods []protoMethod, found Findings) {
	for _, path := range paths {
		list, err := readProtoset(path)
		if err != nil {
			found = append(found, Finding{File: path, Why: err.Error()})
		}
		methods = append(methods, list...)
	}
	slices.SortStableFunc(methods, func(a, b protoMethod) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.method, b.method))
	})
	return slices.CompactFunc(methods, func(a, b protoMethod) bool { return a.path() == b.path() }), found
}

func readProtoset(path string) ([]protoMethod, error) {
	f, err := os.Open(path)
	if err != nil {
		if of, is := errors.AsType[*fs.PathError](err); is {
			return nil, of.Err
		}
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxProtoset+1))
	if err != nil {
		return nil, err
	}
	return parseProtoset(data)
}

// parseProtoset reads a google.protobuf.FileDescriptorSet. Files that it imports need not be in it.
func parseProtoset(data []byte) (methods []protoMethod, err error) {
	if len(data) > maxProtoset {
		return nil, fmt.Errorf("larger than %d MiB", maxProtoset>>20)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(data, &set); err != nil || len(set.GetFile()) == 0 {
		return nil, errors.New("not a set of descriptors, as protoc --descriptor_set_out writes it")
	}
	for _, file := range set.GetFile() {
		for _, s := range file.GetService() {
			name := s.GetName()
			if file.GetPackage() != "" {
				name = file.GetPackage() + "." + name
			}
			for _, m := range s.GetMethod() {
				level := m.GetOptions().GetIdempotencyLevel()
				methods = append(methods, protoMethod{name, m.GetName(), level != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN})
			}
		}
	}
	return methods, nil
}
