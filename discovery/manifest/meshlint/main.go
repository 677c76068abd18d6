// Meshlint finds what is wrong with manifests of Istio, the Gateway API and Kubernetes, and what in them can hardly be meant,
// without a cluster and before a program reads them:
//
//	go run github.com/intramesh/intramesh/discovery/manifest/meshlint mesh/
//
// It prints a finding a line, and ends with 0 where none is an error, with 1 where one is, and with 2 where it was called
// in a way that it does not understand. With -explain it tells what becomes of a request. README.md beside this file has the
// flags and what they print.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/intramesh/intramesh/discovery/manifest"
)

// How meshlint ends.
const (
	exitGood   = 0
	exitErrors = 1
	exitMisuse = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, colorful(os.Stdout)))
}

// run is main. terminal says whether out shows colours. What was not printed was not found good.
func run(args []string, out, problems io.Writer, terminal bool) int {
	w := bufio.NewWriter(out)
	exit := check(args, w, problems, terminal)
	if err := w.Flush(); err != nil {
		fmt.Fprintf(problems, "meshlint: %v\n", err)
		return max(exit, exitErrors)
	}
	return exit
}

func check(args []string, out, problems io.Writer, terminal bool) int {
	o, err := parseFlags(args, problems)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitGood
	case err != nil:
		fmt.Fprintf(problems, "meshlint: %v\n", err)
		return exitMisuse
	}
	report := manifest.Lint(manifest.Config{
		Paths: o.paths, Namespace: o.namespace, Lenient: o.lenient, Logger: slog.New(slog.DiscardHandler),
	}, manifest.LintOptions{Protosets: o.protosets, MaxAttempts: o.maxAttempts})
	p := &printer{out: out, colors: o.color == "always" || o.color == "auto" && terminal, options: o}
	if o.explain == "" {
		p.report(report)
		return exitOf(report.Findings, o.strict)
	}
	if report.State == nil {
		p.out = problems
		p.report(report)
		return exitErrors
	}
	return p.explain(report.State, problems)
}

// exitOf is how meshlint ends with these findings.
func exitOf(findings manifest.Findings, strict bool) int {
	if findings.Err() != nil || strict && len(findings) > 0 {
		return exitErrors
	}
	return exitGood
}

// colorful says whether a file is a terminal that shows colours, and whose user has not asked for none (no-color.org).
func colorful(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
