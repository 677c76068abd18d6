package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
)

// show prints what has arrived.
func (c *collector) show(out io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(out, "\nspans:")
	slices.SortFunc(c.spans, func(a, b *trace.Span) int { return cmp.Compare(a.GetStartTimeUnixNano(), b.GetStartTimeUnixNano()) })
	c.tree(out, "", "  ")
	fmt.Fprintln(out, "\nmetrics:")
	var lines []string
	for _, m := range c.metrics {
		lines = append(lines, points(m)...)
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintln(out, line)
	}
}

// tree prints the spans beneath a parent, each with what is beneath it.
func (c *collector) tree(out io.Writer, parent, indent string) {
	for _, s := range c.spans {
		if string(s.GetParentSpanId()) != parent {
			continue
		}
		kind := strings.ToLower(strings.TrimPrefix(s.GetKind().String(), "SPAN_KIND_"))
		fmt.Fprintf(out, "%s%s %q %s\n", indent, kind, s.GetName(),
			some(s.GetAttributes(), "http.response.status_code", "intramesh.outcome"))
		c.tree(out, string(s.GetSpanId()), indent+"  ")
	}
}

// points are the counts of histograms and the values of sums; how long things took is different each time.
func points(m *metrics.Metric) (lines []string) {
	line := func(attrs []*common.KeyValue, n int64) {
		what := some(attrs, "http.response.status_code", "http.request.method", "http.route", "server.address", "intramesh.outcome")
		lines = append(lines, fmt.Sprintf("  %s %s: %d", m.GetName(), what, n))
	}
	for _, p := range m.GetHistogram().GetDataPoints() {
		line(p.GetAttributes(), int64(p.GetCount()))
	}
	for _, p := range m.GetSum().GetDataPoints() {
		line(p.GetAttributes(), p.GetAsInt())
	}
	return lines
}

// some are a few attributes in text, in the order of their names here.
func some(attrs []*common.KeyValue, names ...string) string {
	var all []string
	for _, name := range names {
		for _, kv := range attrs {
			if kv.GetKey() == name {
				all = append(all, text(kv.GetValue()))
			}
		}
	}
	return strings.Join(all, " ")
}

func text(v *common.AnyValue) string {
	if s := v.GetStringValue(); s != "" {
		return s
	}
	return strconv.FormatInt(v.GetIntValue(), 10)
}
