package manifest

import "fmt"

// defaultEjection is Istio's maxEjectionPercent.
const defaultEjection = 10

// outliers finds ejections that never count: those of the only ones that may be ejected leave fewer than minHealthPercent, and
// calls then go to all. Where nobody may be ejected at all loading has warned of it.
func (l *linter) outliers() {
	for _, p := range l.policyParts() {
		of := l.endpointsOf(p.host)
		if p.outlier == nil || of == nil || of.resolve != resolveNone {
			continue
		}
		n, percent := countWith(of.workloads, p.labels), int(p.outlier.GetMaxEjectionPercent())
		if percent == 0 {
			percent = defaultEjection
		}
		health := int(p.outlier.GetMinHealthPercent())
		if n == 0 || n*percent < 100 || health <= 0 || (n-1)*100 >= health*n {
			continue
		}
		l.find(p.o, p.field+".outlierDetection.minHealthPercent", fmt.Sprintf(
			"ejections never count: with one of %d endpoints ejected %d percent are left, which is less than %d", n, (n-1)*100/n, health), "")
	}
}
