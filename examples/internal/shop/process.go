package shop

import (
	"context"
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

// Process is a process of the shop as the parent sees it.
type Process struct {
	Name    string // "inventory-2"
	Service string // "inventory"
	Version string // "v1"
	Addr    string // "host:port"

	cmd  *exec.Cmd
	mu   sync.Mutex // one question at a time
	in   io.WriteCloser
	out  *json.Decoder
	done chan struct{} // closed when it has ended
	err  error         // how it ended; to be read after done
	may  atomic.Bool   // it may end: that is what the parent wants
}

// startProcess runs this same binary as a service and waits until it is ready, which may take as long as its registry does.
func (c *Config) startProcess(ctx context.Context, service, version, name, dir string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &Process{Name: name, Service: service, Version: version, cmd: exec.Command(self), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), envService+"="+service, envName+"="+name, envDir+"="+dir)
	if c.Env != nil {
		p.cmd.Env = append(p.cmd.Env, c.Env(name)...)
	}
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
	impatient := context.AfterFunc(ctx, func() { p.Signal(syscall.SIGKILL) })
	defer impatient()
	var h hello
	if err := p.out.Decode(&h); err != nil {
		p.Signal(syscall.SIGKILL)
		_ = p.cmd.Wait()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s did not start: %w", name, err)
	}
	p.Addr = h.Addr
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Ask returns what the process says of itself.
func (p *Process) Ask() (State, error) { return p.put(question{}) }

// Pace makes it work so many times slower than usual.
func (p *Process) Pace(times int64) error {
	_, err := p.put(question{Tempo: times})
	return err
}

func (p *Process) put(q question) (State, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := json.NewEncoder(p.in).Encode(q); err != nil {
		return State{}, fmt.Errorf("%s: %w", p.Name, err)
	}
	s := newState()
	if err := p.out.Decode(&s); err != nil {
		return State{}, fmt.Errorf("%s: %w", p.Name, err)
	}
	return s, nil
}

// Signal sends sig; a process that has ended needs none.
func (p *Process) Signal(sig syscall.Signal) { _ = p.cmd.Process.Signal(sig) }

// Kill ends it as a crash does.
func (p *Process) Kill() {
	p.may.Store(true)
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// Drain asks it to finish what it has in hand and to end.
func (p *Process) Drain() {
	p.may.Store(true)
	p.Signal(syscall.SIGTERM)
	p.await(time.Minute)
}

// Err says how it ended, if that was not well. It must have ended.
func (p *Process) Err() error {
	if p.err == nil {
		return nil
	}
	return fmt.Errorf("%s did not end well: %w", p.Name, p.err)
}

// end asks it to end, stopped or not.
func (p *Process) end() {
	p.may.Store(true)
	p.Signal(syscall.SIGCONT)
	if err := json.NewEncoder(p.in).Encode(question{End: true}); err != nil {
		p.Signal(syscall.SIGKILL) // it does not listen; most likely it has ended
	}
	p.await(5 * time.Second)
}

// await waits for the end, and makes one when patience is over.
func (p *Process) await(patience time.Duration) {
	timer := time.AfterFunc(patience, func() { p.Signal(syscall.SIGKILL) })
	defer timer.Stop()
	<-p.done
}
