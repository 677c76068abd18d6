package main

import "github.com/intramesh/intramesh/discovery/manifest"

// reportJSON is what -json prints. Names of fields stay; new ones may come.
type reportJSON struct {
	Findings  []findingJSON `json:"findings"` // in the order of files and lines
	Errors    int           `json:"errors"`
	Warnings  int           `json:"warnings"`
	Files     int           `json:"files"`
	Resources int           `json:"resources"`
	Worst     *worstJSON    `json:"worst,omitempty"`
}

type findingJSON struct {
	File       string `json:"file,omitempty"`
	Line       int    `json:"line,omitempty"`
	Column     int    `json:"column,omitempty"`
	Severity   string `json:"severity"` // "error" or "warning"
	Object     string `json:"object,omitempty"`
	Field      string `json:"field,omitempty"`
	Reason     string `json:"reason"`
	Suggestion string `json:"suggestion,omitempty"`
}

// worstJSON is the chain of routes that multiplies attempts the most.
type worstJSON struct {
	Attempts int       `json:"attempts"`
	Hops     []hopJSON `json:"hops"`
}

type hopJSON struct {
	From     string      `json:"from,omitempty"` // empty: anybody
	To       string      `json:"to"`
	Attempts int         `json:"attempts"`
	Origin   *originJSON `json:"origin,omitempty"`
}

// originJSON is a place in a manifest.
type originJSON struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Object string `json:"object"`
	Field  string `json:"field,omitempty"`
}

func jsonReport(r *manifest.LintReport) reportJSON {
	warnings := len(r.Findings.Warnings())
	out := reportJSON{
		Findings: []findingJSON{}, Errors: len(r.Findings) - warnings, Warnings: warnings, Files: r.Files, Resources: r.Resources,
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, findingJSON{
			f.File, f.Line, f.Column, f.Severity.String(), f.Object, f.Field, f.Why, f.Suggestion,
		})
	}
	if r.Worst != nil {
		out.Worst = &worstJSON{Attempts: r.Worst.Attempts}
		for _, h := range r.Worst.Hops {
			out.Worst.Hops = append(out.Worst.Hops, hopJSON{h.From, h.To, h.Attempts, jsonOrigin(h.Origin)})
		}
	}
	return out
}

func jsonOrigin(at manifest.Origin) *originJSON {
	if at.Object == nil {
		return nil
	}
	line, _ := at.Object.Position(at.Field)
	return &originJSON{at.Object.File, line, at.Object.String(), at.Field}
}
