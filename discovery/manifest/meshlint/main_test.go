package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

var update = flag.Bool("update", false, "write the golden outputs anew")

// TestMain runs the command itself where TestCommand asks for it.
func TestMain(m *testing.M) {
	if os.Getenv("INTRAMESH_TEST_MESHLINT") != "" {
		main()
	}
	os.Exit(m.Run())
}

// lint runs the command with its output in one piece.
func lint(args ...string) (out, problems string, exit int) {
	var o, p bytes.Buffer
	exit = run(args, &o, &p, false)
	return o.String(), p.String(), exit
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestOutputThatIsLost is no success.
func TestOutputThatIsLost(t *testing.T) {
	var problems bytes.Buffer
	if exit := run([]string{"-json", "testdata/good"}, full{}, &problems, false); exit != exitErrors || problems.String() != "meshlint: no space left\n" {
		t.Errorf("ended with %d: %s", exit, &problems)
	}
}

// TestGolden compares what is printed with testdata/golden.
func TestGolden(t *testing.T) {
	protoset := filepath.Join(t.TempDir(), "shop.binpb")
	if err := os.WriteFile(protoset, descriptors(t), 0o600); err != nil {
		t.Fatal(err)
	}
	const url = "GET http://orders/v1/orders/7"
	for name, c := range map[string]struct {
		exit int
		args []string
	}{
		"warnings":         {exitGood, []string{"-protoset", protoset, "testdata/warnings"}},
		"warnings-strict":  {exitErrors, []string{"-strict", "-q", "-max-attempts", "-1", "testdata/warnings/services.yaml", "testdata/warnings/weights.yaml"}},
		"warnings-json":    {exitGood, []string{"-json", "-protoset", protoset, "testdata/warnings"}},
		"warnings-color":   {exitGood, []string{"-color", "always", "testdata/warnings/conflict.yaml", "testdata/warnings/services.yaml"}},
		"errors":           {exitErrors, []string{"testdata/errors"}},
		"errors-quiet":     {exitErrors, []string{"-q", "testdata/errors"}},
		"errors-lenient":   {exitErrors, []string{"-lenient", "testdata/errors"}},
		"errors-color":     {exitErrors, []string{"-color", "always", "testdata/errors"}},
		"errors-json":      {exitErrors, []string{"testdata/errors", "-json"}},
		"policy":           {exitErrors, []string{"testdata/policy"}},
		"missing":          {exitErrors, []string{"testdata/missing"}},
		"good":             {exitGood, []string{"testdata/good"}},
		"good-quiet":       {exitGood, []string{"-q", "testdata/good"}},
		"good-namespace":   {exitGood, []string{"-namespace", "shop", "testdata/good"}},
		"explain":          {exitGood, []string{"-explain", url, "testdata/good"}},
		"explain-user":     {exitGood, []string{"-explain", url, "-H", "X-User: 42", "testdata/good"}},
		"explain-source":   {exitGood, []string{"-explain", url, "-source-labels", "app=web", "testdata/good"}},
		"explain-json":     {exitGood, []string{"-json", "-explain", url, "testdata/good"}},
		"explain-grpc":     {exitGood, []string{"-explain", "grpc repeats/shop.v1.Orders/Place", "testdata/warnings"}},
		"explain-no-rule":  {exitGood, []string{"-explain", "GET http://stock/", "testdata/good"}},
		"explain-no-state": {exitErrors, []string{"-explain", url, "testdata/policy"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, problems, exit := lint(c.args...)
			if exit != c.exit {
				t.Errorf("ends with %d, want %d", exit, c.exit)
			}
			golden(t, name, out+problems)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".txt")
	got = strings.ReplaceAll(got, "\x1b", "ESC")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("printed:\n%s\nwant:\n%s", got, want)
	}
}

// TestEveryFileHasAFinding: the folder of warnings has an example of each, and each file of it but one has its own.
func TestEveryFileHasAFinding(t *testing.T) {
	out, _, _ := lint("testdata/warnings")
	files, err := filepath.Glob("testdata/warnings/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		if filepath.Base(file) != "services.yaml" && !strings.Contains(out, file+":") {
			t.Errorf("nothing is found in %s", file)
		}
	}
}

// TestMisuse: what is not understood ends with 2 and says why.
func TestMisuse(t *testing.T) {
	for _, c := range []struct {
		want string
		args []string
	}{
		{"no path is given", nil},
		{"no path is given", []string{""}},
		{"not defined: -what", []string{"-what", "testdata/good"}},
		{`-color "blue": want auto, always or never`, []string{"-color", "blue", "testdata/good"}},
		{`-namespace "a.b" is not the name`, []string{"-namespace", "a.b", "testdata/good"}},
		{"-H and -source-labels are for -explain", []string{"-H", "a: b", "testdata/good"}},
		{"-H and -source-labels are for -explain", []string{"testdata/good", "-source-labels", "a=b"}},
		{`"app" is not name=value`, []string{"-explain", "GET http://a/", "-source-labels", "app", "testdata/good"}},
		{"want a method and a URL", []string{"-explain", "http://a/", "testdata/good"}},
		{`-H "nothing": want 'name: value'`, []string{"-explain", "GET http://a/", "-H", "nothing", "testdata/good"}},
	} {
		out, problems, exit := lint(c.args...)
		if exit != exitMisuse || out != "" || !strings.HasPrefix(problems, "meshlint: ") || !strings.Contains(problems, c.want) {
			t.Errorf("%q: %d %s%s; want %s", c.args, exit, out, problems, c.want)
		}
	}
}

// TestHelp names every flag.
func TestHelp(t *testing.T) {
	_, help, exit := lint("-h")
	if exit != exitGood || !strings.HasPrefix(help, "usage: meshlint") {
		t.Errorf("%d %s", exit, help)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(help) {
		if name, is := strings.CutPrefix(line, "  -"); is {
			if name = "`-" + strings.Fields(name)[0]; !strings.Contains(string(readme), name) {
				t.Errorf("README.md does not have %s", name)
			}
		}
	}
}

// TestReadme: what the README shows of -explain is what is printed.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "$ meshlint -explain 'GET http://orders/v1/orders/7' -source-labels app=web testdata/good\n")
	shown, _, _ = strings.Cut(shown, "```")
	if out, _, _ := lint("-explain", "GET http://orders/v1/orders/7", "-source-labels", "app=web", "testdata/good"); out != shown {
		t.Errorf("README.md shows:\n%s\nprinted:\n%s", shown, out)
	}
}

// TestJSON: what -json prints is one object, also where nothing is found.
func TestJSON(t *testing.T) {
	for _, args := range [][]string{{"-json", "testdata/good"}, {"-json", "testdata/missing"}, {"-json", "-explain", "GET http://orders/", "testdata/good"}} {
		out, _, _ := lint(args...)
		var v map[string]any
		d := json.NewDecoder(strings.NewReader(out))
		if err := d.Decode(&v); err != nil || d.More() {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
		if findings, is := v["findings"]; is && findings == nil {
			t.Errorf("%q: findings are null", args)
		}
	}
}

// TestColors: a terminal gets them, unless the user asks for none.
func TestColors(t *testing.T) {
	for _, c := range []struct {
		terminal bool
		args     []string
		want     bool
	}{
		{false, nil, false}, {true, nil, true}, {true, []string{"-color", "never"}, false}, {false, []string{"-color", "always"}, true},
	} {
		var out bytes.Buffer
		run(append(c.args, "testdata/errors"), &out, &out, c.terminal)
		if got := strings.Contains(out.String(), "\x1b["); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if !colorful(null) { // a device for characters, as a terminal is
		t.Error("no colours on a device")
	}
	t.Setenv("NO_COLOR", "1")
	if colorful(null) {
		t.Error("colours in spite of NO_COLOR")
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	if colorful(null) {
		t.Error("colours on a terminal that has none")
	}
}

// TestCommand runs the command as a process of its own.
func TestCommand(t *testing.T) {
	for args, want := range map[string]int{"testdata/good": exitGood, "testdata/errors": exitErrors, "-what": exitMisuse} {
		c := exec.CommandContext(t.Context(), os.Args[0], args) //nolint:gosec // this test itself
		c.Env = append(os.Environ(), "INTRAMESH_TEST_MESHLINT=1")
		out, err := c.CombinedOutput()
		exit := exitGood
		if ended, is := errors.AsType[*exec.ExitError](err); is {
			exit = ended.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if exit != want || bytes.Contains(out, []byte("\x1b[")) {
			t.Errorf("meshlint %s ends with %d, want %d:\n%s", args, exit, want, out)
		}
	}
}

// descriptors are those of shop.v1.Orders, of whose methods Get alone has no side effects.
func descriptors(t *testing.T) []byte {
	t.Helper()
	data, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: new("shop.proto"), Package: new("shop.v1"),
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: new("Orders"), Method: []*descriptorpb.MethodDescriptorProto{
			{Name: new("Get"), Options: &descriptorpb.MethodOptions{IdempotencyLevel: descriptorpb.MethodOptions_NO_SIDE_EFFECTS.Enum()}},
			{Name: new("Place")},
		}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}
