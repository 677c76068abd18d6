package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/intramesh/intramesh/examples/internal/readmetest"
)

// binary is the quickstart as a user builds it.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndTest(m)) }

func buildAndTest(m *testing.M) int {
	dir, err := os.MkdirTemp("", "quickstart-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "quickstart")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// quickstart is a run of it with a folder of its own for temporary files. All its processes share its standard error,
// which therefore ends when the last of them does.
type quickstart struct {
	*exec.Cmd
	tmp    string
	lines  *bufio.Scanner
	stderr *os.File
}

func start(t *testing.T, args ...string) *quickstart {
	t.Helper()
	q := &quickstart{Cmd: exec.Command(binary, args...), tmp: t.TempDir()}
	q.Env = append(os.Environ(), "TMPDIR="+q.tmp)
	stdout, err := q.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	q.lines = bufio.NewScanner(stdout)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	q.stderr, q.Stderr = r, w
	if err := q.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return q
}

// until reads the output up to the first line that contains text.
func (q *quickstart) until(t *testing.T, text string) {
	t.Helper()
	for q.lines.Scan() {
		if strings.Contains(q.lines.Text(), text) {
			return
		}
	}
	t.Fatalf("the output ends without %q", text)
}

// rest reads the output to its end, and waits for the end of all processes.
func (q *quickstart) rest(t *testing.T) (lines []string, err error) {
	t.Helper()
	for q.lines.Scan() {
		lines = append(lines, q.lines.Text())
	}
	stderr, readErr := io.ReadAll(q.stderr)
	if readErr != nil {
		t.Fatal(readErr)
	}
	if len(stderr) > 0 {
		t.Logf("standard error:\n%s", stderr)
	}
	return lines, q.Wait()
}

func (q *quickstart) leavesNothing(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(q.tmp)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

var lastLine = regexp.MustCompile(
	`^ok requests=(\d+) failed=0 degraded=(\d+) lost=0 duplicated=0 retries=(\d+) p50=\S+ p99=\S+$`)

func TestQuickstart(t *testing.T) {
	q := start(t, "-for", "12s")
	lines, err := q.rest(t)
	out := strings.Join(lines, "\n")
	t.Log("\n" + out)
	if err != nil {
		t.Errorf("exit: %v", err)
	}
	m := lastLine.FindStringSubmatch(lines[len(lines)-1])
	if m == nil {
		t.Fatalf("last line: %s", lines[len(lines)-1])
	}
	for i, least := range []int{500, 1, 1} { // requests, degraded, retries
		if n, _ := strconv.Atoi(m[i+1]); n < least {
			t.Errorf("%s: want at least %d", m[i+1], least)
		}
	}
	inOrder(t, out,
		"inventory-1 is killed", "mesh:", "inventory-4 joins", "mesh:", "inventory-2 becomes ten times slower", "mesh:",
		"inventory-3 is stopped", "mesh:", "payments-1 is restarted", "mesh:", "all processes get new certificates", "mesh:",
		"the root of all certificates is replaced", "mesh:", "three callers", "PermissionDenied", "403 Forbidden",
		"no connection", "unknown_authority", "reviews fail", "mesh:", "breaker for reviews opened",
		"GET /items", "GET /orders", "POST /orders", "GET /stock", "POST /stock", "Place", "Track", "Charge", "GET /reviews",
		"ejections", "breaker openings", "refusals", "inventory", "orders", "payments", "reviews")
	q.leavesNothing(t)
}

func inOrder(t *testing.T, out string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		_, rest, ok := strings.Cut(out, want)
		if !ok {
			t.Fatalf("%q is missing or not in its place", want)
		}
		out = rest
	}
}

// Ctrl-C ends a run without an end in good order, whatever step it is at.
func TestInterrupt(t *testing.T) {
	q := start(t, "-for", "0")
	q.until(t, "inventory-1 is killed")
	if err := q.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	lines, err := q.rest(t)
	if err != nil {
		t.Errorf("exit: %v", err)
	}
	if last := lines[len(lines)-1]; !lastLine.MatchString(last) {
		t.Errorf("last line: %s", last)
	}
	q.leavesNothing(t)
}

// The death of the parent ends all processes, also the one that is stopped at that moment. That they have ended shows in
// standard error, which they share.
func TestParentKilled(t *testing.T) {
	q := start(t, "-for", "6s")
	q.until(t, "inventory-3 is stopped")
	if err := q.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := q.rest(t); err == nil {
		t.Error("a killed parent ended well")
	}
	q.leavesNothing(t)
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-for", "-1s"}, {"-for", "soon"}, {"more"}} {
		var stderr bytes.Buffer
		cmd := exec.Command(binary, args...)
		cmd.Stderr = &stderr
		if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 2 || stderr.Len() == 0 {
			t.Errorf("%v: %v, %q; want exit status 2 and a reason", slices.Clone(args), err, stderr.String())
		}
	}
}

// The README shows a run of 15 s; the steps and the form of the last line must be those of today.
func TestReadme(t *testing.T) {
	shown := strings.TrimSpace(readmetest.Output(t))
	var steps []string
	for _, st := range script {
		says, _, _ := strings.Cut(st.says, "%s")
		steps = append(steps, says, "mesh:", "visitors:")
	}
	inOrder(t, shown, steps...)
	if last := shown[strings.LastIndexByte(shown, '\n')+1:]; !lastLine.MatchString(last) {
		t.Errorf("last line: %s", last)
	}
}
