package manifest

// LintOptions say what [Lint] knows beside the manifests. None is needed.
type LintOptions struct {
	// Protosets are files that protoc --descriptor_set_out or buf build -o write. Their idempotency_level says which gRPC
	// methods may be executed twice; without them nothing is said of retries of gRPC calls.
	Protosets []string
	// MaxAttempts is how many attempts at the last service one call at the first may cause at worst, along a chain of routes
	// that name their source; more is a warning. 0: 10; negative: any number.
	MaxAttempts int
}

// LintReport is what [Lint] found.
type LintReport struct {
	// Findings are those of [Load], and where none of them is an error those of the further checks, in the order of files and
	// lines.
	Findings Findings
	// Files and Resources are how many were read.
	Files, Resources int
	// Worst is the chain of routes that multiplies attempts the most; nil where no route leads anywhere, or where there are
	// errors.
	Worst *Amplification
	// State is what the manifests say; nil where there are errors.
	State *State
}

// Lint reads manifests as [Load] does, and looks further for what is allowed and yet can hardly be meant. Each such thing is
// a warning:
//
//   - a match that never decides, because an earlier one takes all its requests;
//   - weights of a VirtualService that do not add up to 100;
//   - hosts and ports that no Service and no ServiceEntry declares, unless the manifests declare no service at all, so that
//     endpoints come from somewhere else;
//   - subsets that no endpoint is in, of services whose endpoints are declared, and subsets that no route leads to;
//   - retries for which the timeout leaves no time;
//   - retries of requests that may have been executed, where the method is not idempotent: POST and PATCH where a match names
//     them, gRPC methods where a match names them and [LintOptions.Protosets] says what they are;
//   - outlier detection whose ejections can never count (of one that ejects nobody Load warns);
//   - limits of a connection pool that are 0, which is the same as none;
//   - chains of routes along which retries multiply, see [Amplification].
//
// Where a finding is an error the further checks are not made: what they would say of half of the manifests would mislead.
func Lint(cfg Config, opts LintOptions) *LintReport {
	r := &LintReport{}
	if err := cfg.ready(); err != nil {
		r.Findings = Findings{{Why: err.Error()}}
		return r
	}
	var from loader
	state, found := from.load(&cfg, "")
	r.Files = len(from.known)
	for _, k := range from.known {
		r.Resources += len(k.objects)
	}
	methods, bad := readProtosets(opts.Protosets)
	r.Findings = append(append(r.Findings, found...), bad...)
	if r.Findings.Err() != nil {
		r.Findings = r.Findings.sort()
		return r
	}
	l := newLinter(&cfg, state, found)
	l.methods, l.maxAttempts = methods, opts.MaxAttempts
	for _, check := range lintChecks {
		check(l)
	}
	r.Findings = append(r.Findings, l.findings...).sort()
	r.State, r.Worst = state, l.worst
	return r
}

// lintChecks are what [Lint] looks for beside what [Load] does.
var lintChecks = []func(*linter){
	(*linter).shadows, (*linter).weights, (*linter).hosts, (*linter).subsets, (*linter).tries, (*linter).repeats,
	(*linter).outliers, (*linter).limits, (*linter).amplification,
}

// linter looks through a state.
type linter struct {
	*translation                     // for what names mean
	told         map[string][]string // the fields that were already found something about, by object
	once         map[Finding]bool
	conditions   conditions
	methods      []protoMethod
	maxAttempts  int
	suggested    int                // names, see maxMeant
	hidden       map[string]*Object // what declares hosts, once that is asked
	worst        *Amplification
}

func newLinter(cfg *Config, s *State, found Findings) *linter {
	l := &linter{
		translation: &translation{cfg: cfg, state: s, byKind: kindsOf(s.Objects)},
		told:        map[string][]string{}, once: map[Finding]bool{}, conditions: conditions{},
	}
	for _, f := range found {
		key := f.File + " " + f.Object
		l.told[key] = append(l.told[key], f.Field)
	}
	return l
}

// kindsOf puts objects in order by group and kind.
func kindsOf(objects []*Object) map[string][]*Object {
	byKind := map[string][]*Object{}
	for _, o := range objects {
		key := joinVersion(o.Group, o.Kind)
		byKind[key] = append(byKind[key], o)
	}
	return byKind
}

// find tells of something once.
func (l *linter) find(o *Object, field, why, suggestion string) {
	f := o.Finding(Warning, field, why, suggestion)
	if !l.once[f] {
		l.once[f] = true
		l.findings = append(l.findings, f)
	}
}
