package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Load reads manifests once: all that [Open] does but to follow changes. The state is nil where a finding is an error, or
// where the configuration is wrong.
func Load(cfg Config) (*State, Findings) {
	if err := cfg.ready(); err != nil {
		return nil, Findings{{Why: err.Error()}}
	}
	var l loader
	return l.load(&cfg, "")
}

// Parse reads manifests that are in memory, by the name of their file. [Config.Paths] is not used.
func Parse(cfg Config, files map[string]string) (*State, Findings) {
	if err := cfg.complete(); err != nil {
		return nil, Findings{{Why: err.Error()}}
	}
	t := &tree{}
	for name, data := range files {
		t.files = append(t.files, file{name: name, data: []byte(data)})
	}
	slices.SortFunc(t.files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	var l loader
	return l.take(&cfg, t)
}

// ready completes a configuration whose files are to be read.
func (c *Config) ready() error {
	if len(c.Paths) == 0 || slices.Contains(c.Paths, "") {
		return errors.New("manifest: Config.Paths is empty")
	}
	return c.complete()
}

// loader reads the same paths again and again, and of the files only those that changed.
type loader struct {
	known map[string]*known
	last  *State // what was made of them, where it was good
	told  Findings
	good  *State // the last one that was good
}

// known is a file as it was when it was last read.
type known struct {
	sum sum
	parsed
}

// load reads the paths, of which relative ones belong to base.
func (l *loader) load(cfg *Config, base string) (*State, Findings) {
	return l.take(cfg, look(base, cfg.Paths))
}

// take makes a state of files. Where nothing changed it is the one of the last time.
func (l *loader) take(cfg *Config, t *tree) (*State, Findings) {
	findings := slices.Clone(t.findings)
	next := make(map[string]*known, len(t.files))
	same := l.last != nil && len(t.files) == len(l.known)
	var objects []*Object
	for i, k := range l.parse(cfg, t.files) {
		next[t.files[i].name] = k
		same = same && l.known[t.files[i].name] == k
		objects = append(objects, k.objects...)
		findings = append(findings, k.findings...)
	}
	l.known = next
	if same && len(t.findings) == 0 {
		return l.last, l.told
	}
	l.last = nil
	objects, twice := unique(objects)
	findings = append(findings, twice...)
	if findings.Err() != nil {
		return nil, findings.sort()
	}
	s, more := translate(cfg, objects, l.good)
	findings = append(findings, more...).sort()
	if findings.Err() != nil {
		return nil, findings
	}
	l.last, l.told, l.good = s, findings, s
	return s, findings
}

// unique finds objects that are there twice.
func unique(objects []*Object) ([]*Object, Findings) {
	type key struct{ group, kind, namespace, name string }
	var findings Findings
	first := make(map[key]*Object, len(objects))
	for _, o := range objects {
		k := key{o.Group, o.Kind, o.Namespace, o.Name}
		if other, again := first[k]; again {
			why := fmt.Sprintf("is there twice, first in %s:%d", other.File, other.Line)
			findings = append(findings, o.Finding(Error, "metadata.name", why, ""))
			continue
		}
		first[k] = o
	}
	return objects, findings
}
