package shop

import (
	"encoding/json"
	"os"
)

// The parent and a process talk over the process's standard input and output, one JSON value a line. The first line is
// the process's hello; after that it answers each question. This is the strings of the puppets, not a part of the mesh.

// hello is what a process says when it is ready to serve.
type hello struct {
	Addr string `json:"addr"`
}

// question asks a process for its state.
type question struct {
	Tempo int64 `json:"tempo,omitempty"` // how many times slower it shall work from now on; 0 changes nothing
	End   bool  `json:"end,omitempty"`   // asks it to end instead
}

// obey answers the parent until it says that this is the end. It returns where the parent is gone without a word; the
// process then ends too and takes the folder of the run with it. Nothing survives the quickstart, whatever killed it.
func (n *node) obey(addr string) {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	err := out.Encode(hello{Addr: addr})
	for err == nil {
		var q question
		if err = in.Decode(&q); err != nil {
			break
		}
		if q.End {
			os.Exit(0)
		}
		if q.Tempo != 0 {
			n.tempo.Store(q.Tempo)
		}
		err = out.Encode(n.state())
	}
}
