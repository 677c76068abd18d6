package balance

// Level is the priority of the node at index i, 0 for the first; -1 where calls do not go to its place at all.
func (p *ByLocality) Level(i int) int { return int(p.levelOf[i]) }
