package manifest

import (
	"crypto/sha256"
	"runtime"
	"sync"
)

type sum = [sha256.Size]byte

// parse reads files, as many at the same time as there are processors; those that are as they were are not read again.
func (l *loader) parse(cfg *Config, files []file) []*known {
	all := make([]*known, len(files))
	todo := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		workers.Go(func() {
			for i := range todo {
				all[i] = l.one(cfg, files[i])
			}
		})
	}
	for i := range files {
		todo <- i
	}
	close(todo)
	workers.Wait()
	return all
}

func (l *loader) one(cfg *Config, f file) *known {
	data, err := f.read()
	if err != nil {
		return &known{parsed: parsed{findings: Findings{{File: f.name, Why: err.Error()}}}}
	}
	s := sha256.Sum256(data)
	if k := l.known[f.name]; k != nil && k.sum == s {
		return k
	}
	return &known{sum: s, parsed: cfg.parse(f.name, data)}
}
