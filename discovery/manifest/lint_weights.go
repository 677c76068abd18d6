package manifest

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"
)

// weights finds splits that do not add up to 100. Istio divides by the sum, so that nothing is lost; but whoever writes 90
// and 5 has forgotten something. The Gateway API documents weights as proportions, so that any sum is as good there.
func (l *linter) weights() {
	for _, o := range l.objects(istioGroup, "VirtualService") {
		for i, h := range o.Spec.(*networking.VirtualService).GetHttp() {
			sum := int64(0)
			for _, r := range h.GetRoute() {
				sum += int64(r.GetWeight())
			}
			if len(h.GetRoute()) > 1 && sum != 100 && sum > 0 {
				l.find(o, index("spec.http", i)+".route", fmt.Sprintf("the weights add up to %d, not to 100: each counts as a share of %[1]d", sum), "")
			}
		}
	}
}
