package manifest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// text reads a string. What YAML reads as something else is refused instead of guessed, as Kubernetes does: 1.10 would
// become 1.1.
func (d *decoder) text(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		if n.Tag == "!!timestamp" || n.Tag == "!!int" || n.Tag == "!!float" || n.Tag == "!!bool" {
			d.find(Error, n, describe(n)+"; want a text", strconv.Quote(n.Value))
			return "", false
		}
		d.failf(n, "%s; want a text", describe(n))
		return "", false
	}
	if n.Style == 0 && isOldBool(n.Value) {
		d.failf(n, "%s without quotes is true or false to the tools of Kubernetes; put it into quotes", n.Value)
		return "", false
	}
	return n.Value, true
}

// isOldBool says whether YAML 1.1, by which Kubernetes reads, takes a word for true or false.
func isOldBool(s string) bool {
	switch strings.ToLower(s) {
	case "yes", "no", "on", "off":
		return true
	}
	return false
}

func (d *decoder) boolean(n *yaml.Node) (value, ok bool) {
	if n.Kind == yaml.ScalarNode {
		switch word := strings.ToLower(n.Value); {
		case n.Tag == "!!bool":
			return word == "true", true
		case n.Tag == "!!str" && n.Style == 0 && isOldBool(word):
			return word == "yes" || word == "on", true
		}
	}
	d.failf(n, "%s; want true or false", describe(n))
	return false, false
}

// integer reads a whole number of a range; 3.0 is one.
func (d *decoder) integer(n *yaml.Node, low, high int64) (int64, bool) {
	value, err := int64(0), strconv.ErrSyntax
	if n.Kind == yaml.ScalarNode {
		switch n.Tag {
		case "!!int":
			err = n.Decode(&value)
		case "!!float":
			var f float64
			if err = n.Decode(&f); err == nil && (f != math.Trunc(f) || math.Abs(f) > 1<<53) {
				err = strconv.ErrSyntax
			}
			value = int64(f)
		}
	}
	if err != nil || value < low || value > high {
		want := ""
		if low != math.MinInt32 || err == nil {
			want = fmt.Sprintf(" from %d to %d", low, high)
		}
		d.failf(n, "%s; want a whole number%s", describe(n), want)
		return 0, false
	}
	return value, true
}

func (d *decoder) float(n *yaml.Node) (float64, bool) {
	var f float64
	if n.Kind != yaml.ScalarNode || n.Tag != "!!float" && n.Tag != "!!int" || n.Decode(&f) != nil {
		d.failf(n, "%s; want a number", describe(n))
		return 0, false
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		d.failf(n, "%s; want a finite number", n.Value)
		return 0, false
	}
	return f, true
}

// duration reads "1h30m", "5s", "250ms", as Istio does.
func (d *decoder) duration(n *yaml.Node) (time.Duration, bool) {
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!int" || n.Tag == "!!float") {
		d.find(Error, n, describe(n)+" without a unit; want a duration", n.Value+"s")
		return 0, false
	}
	s, ok := d.text(n)
	if !ok {
		return 0, false
	}
	value, err := time.ParseDuration(s)
	if err != nil {
		d.failf(n, "%.40q; want a duration: \"1h30m\", \"5s\", \"250ms\"", s)
		return 0, false
	}
	return value, true
}
