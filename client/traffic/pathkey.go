package traffic

// pathKey is what every path begins with, or is, that a list of conditions holds for.
type pathKey struct {
	kind pathKind
	text string
	fold bool // text is in lower case, and so is the path to be
}

type pathKind uint8

const (
	anyPath pathKind = iota // nothing is known
	prefixOfPath
	exactPath
)

// pathOf is the key of a list of conditions: of several the one that tells most.
func pathOf(all []condition, regexes map[string]*regex) pathKey {
	var path, service, method pathKey
	for i := range all {
		switch c := &all[i]; c.of {
		case ofPath:
			path = keyOf(c, regexes)
		case ofService:
			service = keyOf(c, regexes)
		case ofGRPCMethod:
			method = keyOf(c, regexes)
		}
	}
	return path.or(grpcPath(service, method))
}

func keyOf(c *condition, regexes map[string]*regex) pathKey {
	switch t := &c.text; t.op {
	case isExact:
		return pathKey{kind: exactPath, text: t.text, fold: t.fold}
	case isPrefix, isPathPrefix:
		return pathKey{kind: prefixOfPath, text: t.text, fold: t.fold}
	case isRegex:
		return pathKey{kind: prefixOfPath, text: regexes[c.value.Text].prefix}
	}
	return pathKey{}
}

// grpcPath is the key of "/package.Service/Method" by those of its parts.
func grpcPath(service, method pathKey) pathKey {
	if service.kind == anyPath {
		return pathKey{}
	}
	k := pathKey{kind: prefixOfPath, text: "/" + service.text, fold: service.fold}
	if service.kind == prefixOfPath {
		return k
	}
	k.text += "/"
	if method.kind != exactPath || method.fold != service.fold {
		return k
	}
	return pathKey{kind: exactPath, text: k.text + method.text, fold: k.fold}
}

// or is the key that tells more.
func (k pathKey) or(other pathKey) pathKey {
	if other.kind > k.kind || other.kind == k.kind && len(other.text) > len(k.text) {
		k = other
	}
	if k.text == "" && k.kind == prefixOfPath {
		return pathKey{}
	}
	return k
}
