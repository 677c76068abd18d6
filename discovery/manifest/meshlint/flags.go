package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/intramesh/intramesh/client/traffic"
)

// options are what the command line says.
type options struct {
	paths       []string
	strict      bool
	lenient     bool
	json        bool
	quiet       bool
	color       string
	namespace   string
	protosets   []string
	maxAttempts int
	explain     string
	headers     []string
	labels      map[string]string
	request     traffic.Request // of explain
}

const usage = `usage: meshlint [flags] PATH...
       meshlint -explain 'GET http://orders/v1/orders/7' [-H 'x-user: 42'] [-source-labels app=web] PATH...

meshlint finds what is wrong with the manifests in files and folders, or explains what becomes of a request.

`

// parseFlags reads the command line. Flags may stand behind paths, too.
func parseFlags(args []string, problems io.Writer) (*options, error) {
	o := &options{labels: map[string]string{}}
	f := flag.NewFlagSet("meshlint", flag.ContinueOnError)
	f.SetOutput(io.Discard) // run tells of mistakes
	f.BoolVar(&o.strict, "strict", false, "end with 1 for warnings, too")
	f.BoolVar(&o.lenient, "lenient", false, "warn of what cannot be honoured, and leave it out, instead of refusing it")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.quiet, "q", false, "print errors only, with -strict warnings too, and no summary")
	f.StringVar(&o.color, "color", "auto", "colours: `auto, always or never`; auto is for terminals, and never where NO_COLOR is set")
	f.StringVar(&o.namespace, "namespace", "default", "the `namespace` of the process, and of resources that name none")
	f.IntVar(&o.maxAttempts, "max-attempts", 0, "warn of chains of routes with more attempts than this `number`; 0 is 10, -1 is any")
	f.StringVar(&o.explain, "explain", "", "explain a `request`: 'GET http://orders/v1/orders/7', 'grpc orders/shop.v1.Orders/Place'")
	f.Func("protoset", "a `file` that protoc --descriptor_set_out wrote, for what gRPC methods may be repeated; may be given again",
		func(s string) error { o.protosets = append(o.protosets, s); return nil })
	f.Func("H", "a `header` of the request to explain, 'x-user: 42'; may be given again",
		func(s string) error { o.headers = append(o.headers, s); return nil })
	f.Func("source-labels", "`labels` of the process that makes the request to explain, 'app=web,version=v1'", o.addLabels)
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				fmt.Fprint(problems, usage)
				f.SetOutput(problems)
				f.PrintDefaults()
			}
			return nil, err
		}
		if f.NArg() == 0 {
			break
		}
		o.paths, args = append(o.paths, f.Arg(0)), f.Args()[1:]
	}
	return o, o.check()
}

func (o *options) addLabels(s string) error {
	for pair := range strings.SplitSeq(s, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || name == "" {
			return fmt.Errorf("%q is not name=value", pair)
		}
		o.labels[name] = value
	}
	return nil
}

// namespacePattern is a label of RFC 1123, as Kubernetes has it.
var namespacePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// check finds what does not go together.
func (o *options) check() (err error) {
	switch {
	case len(o.paths) == 0 || slices.Contains(o.paths, ""):
		return errors.New("no path is given; meshlint -h tells more")
	case !namespacePattern.MatchString(o.namespace):
		return fmt.Errorf("-namespace %q is not the name of a namespace", o.namespace)
	case !slices.Contains([]string{"auto", "always", "never"}, o.color):
		return fmt.Errorf("-color %q: want auto, always or never", o.color)
	case o.explain == "" && (len(o.headers) > 0 || len(o.labels) > 0):
		return errors.New("-H and -source-labels are for -explain")
	case o.explain == "":
		return nil
	}
	o.request, err = parseRequest(o.explain, o.headers)
	return err
}
