package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/intramesh/intramesh/discovery/manifest"
)

// printer writes what was found.
type printer struct {
	out    io.Writer
	colors bool
	*options
}

// Codes of terminals.
const (
	bold    = "\x1b[1m"
	red     = "\x1b[31;1m"
	yellow  = "\x1b[33;1m"
	noColor = "\x1b[0m"
)

func (p *printer) paint(code, text string) string {
	if !p.colors {
		return text
	}
	return code + text + noColor
}

// report prints all findings.
func (p *printer) report(r *manifest.LintReport) {
	if p.json {
		p.object(jsonReport(r))
		return
	}
	for _, f := range r.Findings {
		if !p.quiet || p.strict || f.Severity == manifest.Error {
			fmt.Fprintln(p.out, p.line(f))
		}
	}
	if !p.quiet {
		fmt.Fprintln(p.out, summary(r))
	}
}

// line is "file:line:column: severity: Kind/name: field: reason (did you mean ...?)".
func (p *printer) line(f manifest.Finding) string {
	var parts []string
	if f.File != "" {
		at := f.File
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", at, f.Line)
		}
		if f.Column > 0 {
			at = fmt.Sprintf("%s:%d", at, f.Column)
		}
		parts = append(parts, p.paint(bold, at))
	}
	color := red
	if f.Severity == manifest.Warning {
		color = yellow
	}
	parts = append(parts, p.paint(color, f.Severity.String()))
	for _, part := range []string{f.Object, f.Field, f.Why} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	text := strings.Join(parts, ": ")
	if f.Suggestion != "" {
		text += fmt.Sprintf(" (did you mean %q?)", f.Suggestion)
	}
	return text
}

// summary is the last line, and before it the worst chain of routes, where anything is repeated.
func summary(r *manifest.LintReport) string {
	text := ""
	if r.Worst != nil && r.Worst.Attempts > 1 {
		text = fmt.Sprintf("worst case along declared routes: %v\n", r.Worst)
	}
	warnings := len(r.Findings.Warnings())
	return text + fmt.Sprintf("%s, %s in %s, %s", count(len(r.Findings)-warnings, "error"), count(warnings, "warning"),
		count(r.Files, "file"), count(r.Resources, "resource"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// object prints JSON.
func (p *printer) object(v any) {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return // nobody is left to hear of it
	}
}
