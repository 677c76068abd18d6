package traffic

import "strings"

// node is a node of a radix tree of prefixes: the way to it from the root spells the prefix of its entries.
type node struct {
	label   string // of the way from the node above
	entries []*entry
	firsts  string // the first byte of each child's label
	below   []*node
}

// next is the child whose prefix the rest of a path begins with; nil where there is none.
func (n *node) next(rest string) *node {
	if rest == "" {
		return nil
	}
	i := strings.IndexByte(n.firsts, rest[0])
	if i < 0 {
		return nil
	}
	child := n.below[i]
	if len(rest) < len(child.label) || rest[:len(child.label)] != child.label {
		return nil
	}
	return child
}

// nextBytes is next for a path that was put into lower case without allocating.
func (n *node) nextBytes(rest []byte) *node {
	if len(rest) == 0 {
		return nil
	}
	i := strings.IndexByte(n.firsts, rest[0])
	if i < 0 {
		return nil
	}
	child := n.below[i]
	if len(rest) < len(child.label) || string(rest[:len(child.label)]) != child.label {
		return nil
	}
	return child
}

// insert is the node of a prefix, made where there is none.
func (n *node) insert(prefix string) *node {
	if prefix == "" {
		return n
	}
	i := strings.IndexByte(n.firsts, prefix[0])
	if i < 0 {
		child := &node{label: prefix}
		n.firsts += prefix[:1]
		n.below = append(n.below, child)
		return child
	}
	child := n.below[i]
	same := common(child.label, prefix)
	if same < len(child.label) { // the way forks within the label
		fork := &node{label: child.label[:same], firsts: child.label[same : same+1], below: []*node{child}}
		child.label = child.label[same:]
		n.below[i] = fork
		child = fork
	}
	return child.insert(prefix[same:])
}

// common is how many bytes two texts have in common at their beginning.
func common(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
