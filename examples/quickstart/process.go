package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a process of the shop as the parent sees it.
type process struct {
	name    string // "inventory-2"
	service string // "inventory"
	addr    string

	cmd  *exec.Cmd
	mu   sync.Mutex // one question at a time
	in   io.WriteCloser
	out  *json.Decoder
	done chan struct{} // closed when it has ended
	err  error         // how it ended; to be read after done
	may  atomic.Bool   // it may end: that is what the parent wants
}

// startProcess runs this same binary as a service and waits until it is ready.
func startProcess(service, name, dir string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{name: name, service: service, cmd: exec.Command(self), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), envService+"="+service, envName+"="+name, envDir+"="+dir)
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = apart()
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	var h hello
	if err := p.out.Decode(&h); err != nil {
		p.signal(syscall.SIGKILL)
		_ = p.cmd.Wait()
		return nil, fmt.Errorf("%s did not start: %w", name, err)
	}
	p.addr = h.Addr
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// ask puts a question and returns what the process says of itself.
func (p *process) ask(q question) (state, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := json.NewEncoder(p.in).Encode(q); err != nil {
		return state{}, fmt.Errorf("%s: %w", p.name, err)
	}
	s := newState()
	if err := p.out.Decode(&s); err != nil {
		return state{}, fmt.Errorf("%s: %w", p.name, err)
	}
	return s, nil
}

// signal sends sig; a process that has ended needs none.
func (p *process) signal(sig syscall.Signal) { _ = p.cmd.Process.Signal(sig) }

// kill ends it as a crash does.
func (p *process) kill() {
	p.may.Store(true)
	p.signal(syscall.SIGKILL)
	<-p.done
}

// drain asks it to finish what it has in hand and to end.
func (p *process) drain() {
	p.may.Store(true)
	p.signal(syscall.SIGTERM)
	p.await(30 * time.Second)
}

// end asks it to end, stopped or not.
func (p *process) end() {
	p.may.Store(true)
	p.signal(syscall.SIGCONT)
	if err := json.NewEncoder(p.in).Encode(question{End: true}); err != nil {
		p.signal(syscall.SIGKILL) // it does not listen; most likely it has ended
	}
	p.await(5 * time.Second)
}

// await waits for the end, and makes one when patience is over.
func (p *process) await(patience time.Duration) {
	timer := time.AfterFunc(patience, func() { p.signal(syscall.SIGKILL) })
	defer timer.Stop()
	<-p.done
}
