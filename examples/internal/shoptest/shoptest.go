// Package shoptest runs the programs of package shop as a user does.
package shoptest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/intramesh/intramesh/examples/internal/readmetest"
	"github.com/intramesh/intramesh/examples/internal/shop"
)

// binary is the program.
var binary string

// Main builds the program in the folder of the test, runs the tests, and returns their exit status.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "shoptest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "program")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// Run is a run of the program with a folder of its own for temporary files. All its processes share its standard error,
// which therefore ends when the last of them does.
type Run struct {
	*exec.Cmd

	tmp    string
	lines  *bufio.Scanner
	stderr *os.File
}

// Start begins a run. What is in env stands before the environment of the test.
func Start(tb testing.TB, env []string, args ...string) *Run {
	tb.Helper()
	r := &Run{Cmd: exec.Command(binary, args...), tmp: tb.TempDir()}
	r.Env = append(append(os.Environ(), "TMPDIR="+r.tmp), env...)
	stdout, err := r.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	r.lines = bufio.NewScanner(stdout)
	read, write, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { read.Close() })
	r.stderr, r.Stderr = read, write
	if err := r.Cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	write.Close()
	return r
}

// until reads the output up to the first line that contains text.
func (r *Run) until(tb testing.TB, text string) {
	tb.Helper()
	for r.lines.Scan() {
		if strings.Contains(r.lines.Text(), text) {
			return
		}
	}
	tb.Fatalf("the output ends without %q", text)
}

// Rest reads the output to its end, and waits for the end of all processes.
func (r *Run) Rest(tb testing.TB) (lines []string, err error) {
	tb.Helper()
	for r.lines.Scan() {
		lines = append(lines, r.lines.Text())
	}
	stderr, readErr := io.ReadAll(r.stderr)
	if readErr != nil {
		tb.Fatal(readErr)
	}
	if len(stderr) > 0 {
		tb.Logf("standard error:\n%s", stderr)
	}
	return lines, r.Wait()
}

// Interrupt sends Ctrl-C at the first line that contains text. The run must end in good order.
func (r *Run) Interrupt(tb testing.TB, text string) {
	tb.Helper()
	r.until(tb, text)
	if err := r.Process.Signal(os.Interrupt); err != nil {
		tb.Fatal(err)
	}
	lines, err := r.Rest(tb)
	if err != nil {
		tb.Errorf("exit: %v", err)
	}
	Ok(tb, strings.Join(lines, "\n"))
	r.LeavesNothing(tb)
}

// Kill ends the parent at the first line that contains text, which must end all others. That they have ended shows in
// standard error, which they share.
func (r *Run) Kill(tb testing.TB, text string) {
	tb.Helper()
	r.until(tb, text)
	if err := r.Process.Signal(syscall.SIGKILL); err != nil {
		tb.Fatal(err)
	}
	if _, err := r.Rest(tb); err == nil {
		tb.Error("a killed parent ended well")
	}
	r.LeavesNothing(tb)
}

// Fails reads to the end of a run that must not begin, for a reason that standard error tells.
func (r *Run) Fails(tb testing.TB, reason string) {
	tb.Helper()
	stderr, err := io.ReadAll(r.stderr)
	if err != nil {
		tb.Fatal(err)
	}
	if err := r.Wait(); err == nil || r.ProcessState.ExitCode() != 1 || !strings.Contains(string(stderr), reason) {
		tb.Errorf("%v, standard error: %s\nwant exit status 1 and %q", err, stderr, reason)
	}
	r.LeavesNothing(tb)
}

// LeavesNothing fails the test where the run has left files.
func (r *Run) LeavesNothing(tb testing.TB) {
	tb.Helper()
	left, err := os.ReadDir(r.tmp)
	if err != nil {
		tb.Fatal(err)
	}
	if len(left) > 0 {
		tb.Errorf("left behind: %v", left)
	}
}

var lastLine = regexp.MustCompile(
	`^ok requests=(\d+) failed=0 degraded=(\d+) lost=0 duplicated=0 retries=(\d+) p50=\S+ p99=\S+$`)

// Ok reads the last line, which must say that all demands were met.
func Ok(tb testing.TB, out string) (requests, degraded, retries int) {
	tb.Helper()
	last := out[strings.LastIndexByte(out, '\n')+1:]
	m := lastLine.FindStringSubmatch(last)
	if m == nil {
		tb.Fatalf("last line: %s", last)
	}
	var n [3]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1])
	}
	return n[0], n[1], n[2]
}

// InOrder looks for texts that must follow each other.
func InOrder(tb testing.TB, out string, wants ...string) {
	tb.Helper()
	for _, want := range wants {
		_, rest, ok := strings.Cut(out, want)
		if !ok {
			tb.Fatalf("%q is missing or not in its place", want)
		}
		out = rest
	}
}

// Readme compares the run that the README shows with the program: the steps and the form of the last line must be those
// of today.
func Readme(tb testing.TB, script []shop.Step) {
	tb.Helper()
	shown := strings.TrimSpace(readmetest.Output(tb))
	InOrder(tb, shown, Lines(script)...)
	Ok(tb, shown)
}

// Lines are what every run shows of its steps.
func Lines(script []shop.Step) []string {
	var all []string
	for _, st := range script {
		says, _, _ := strings.Cut(st.Says, "%s")
		all = append(all, says, "mesh:", "visitors:")
	}
	return all
}

// Arguments runs the program with some that make no sense.
func Arguments(tb testing.TB) {
	tb.Helper()
	for _, args := range [][]string{{"-for", "-1s"}, {"-for", "soon"}, {"more"}} {
		var stderr bytes.Buffer
		cmd := exec.Command(binary, args...)
		cmd.Stderr = &stderr
		if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 2 || stderr.Len() == 0 {
			tb.Errorf("%v: %v, %q; want exit status 2 and a reason", args, err, stderr.String())
		}
	}
}
