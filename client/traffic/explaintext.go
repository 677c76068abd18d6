package traffic

import (
	"fmt"
	"strconv"
	"strings"
)

// words are the changes in words.
func words(ops []HeaderOp) (list []string) {
	for _, o := range ops {
		list = append(list, o.String())
	}
	return list
}

// String is the change in words: `set x-version: "2"`.
func (o HeaderOp) String() string {
	if o.Kind == HeaderRemove {
		return "remove " + o.Lower
	}
	return o.Kind.String() + " " + o.Lower + ": " + strconv.Quote(o.Value)
}

// String is the explanation for reading. Rules for other services are counted, not listed.
func (e Explanation) String() string {
	var b strings.Builder
	others := 0
	for _, s := range e.Skipped {
		if s.OtherHost {
			others++
			continue
		}
		fmt.Fprintf(&b, "not %s: %s\n", joined(s.Rule, s.Match), s.Why)
	}
	if others > 0 {
		fmt.Fprintf(&b, "not %d more: for other hosts\n", others)
	}
	if e.Rule == "" {
		b.WriteString("no rule matches\n")
	} else {
		fmt.Fprintf(&b, "rule %s\n", joined(e.Rule, e.Match))
	}
	e.action(&b)
	return b.String()
}

func joined(rule, match string) string {
	if match == "" {
		return rule
	}
	return rule + " (" + match + ")"
}

// action writes what becomes of the request.
func (e Explanation) action(b *strings.Builder) {
	line := func(format string, args ...any) { fmt.Fprintf(b, "  "+format+"\n", args...) }
	switch {
	case e.Location != "":
		line("redirect %d %s", e.Status, e.Location)
	case e.Status != 0:
		line("respond %d", e.Status)
	}
	if e.Path != "" {
		line("path %s", e.Path)
	}
	if e.Authority != "" {
		line("authority %s", e.Authority)
	}
	if e.Timeout != 0 {
		if e.Timeout < 0 {
			line("no timeout but the caller's own")
		} else {
			line("timeout %v", e.Timeout)
		}
	}
	if e.Retry != nil {
		line("retry %s", text1(e.Retry))
	}
	if e.NoRetry {
		line("no retries")
	}
	for i := range e.Faults {
		line("fault %s", text1(&e.Faults[i]))
	}
	for _, m := range e.Mirrors {
		line("mirror %s %g %%", place(m.Service, m.Subset), m.Percent)
	}
	if e.Sticky != nil {
		line("sticky %s", text1(e.Sticky))
	}
	for i := range e.Destinations {
		e.Destinations[i].write(line)
	}
}

func (c *Choice) write(line func(format string, args ...any)) {
	to := place(c.Service, c.Subset)
	if c.Status != 0 {
		to = fmt.Sprintf("respond %d", c.Status)
	}
	line("%g %% to %s", c.Percent, to)
	if len(c.Labels) > 0 {
		line("  labels %s", text1(c.Labels))
	}
	for _, h := range c.RequestHeaders {
		line("  request: %s", h)
	}
	for _, h := range c.ResponseHeaders {
		line("  response: %s", h)
	}
	if c.Settings != nil {
		line("  settings %s", text1(c.Settings))
	}
	if c.Err != "" {
		line("  fails: %s", c.Err)
	}
}

func place(service, subset string) string {
	if subset == "" {
		return service
	}
	return service + " subset " + subset
}

// text1 is a part of a policy as JSON on one line.
func text1(v any) string {
	text, err := marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
