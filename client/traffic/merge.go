package traffic

import "reflect"

func said(s Settings) *Settings {
	if reflect.ValueOf(s).IsZero() {
		return nil
	}
	return &s
}

// merge is base with the parts of over in the place of its own, each one whole.
func merge(base, over Settings) Settings {
	mergeParts(reflect.ValueOf(&base).Elem(), reflect.ValueOf(over))
	return base
}

// mergeParts goes by reflection, so that a part that is new to the settings or to a resilience policy is not forgotten
// here. It runs when a policy is compiled.
func mergeParts(base, over reflect.Value) {
	for i := range base.NumField() {
		switch f := over.Field(i); {
		case f.Kind() == reflect.Struct:
			mergeParts(base.Field(i), f)
		case !f.IsZero():
			base.Field(i).Set(f)
		}
	}
}
