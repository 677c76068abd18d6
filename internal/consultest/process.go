package consultest

import (
	"os"
	"os/exec"
)

// process is an agent that runs or has ended.
type process struct {
	cmd   *exec.Cmd
	log   *os.File
	ended chan struct{} // closed when it has
}

// launch starts the program; its output is appended to the file.
func launch(binary, logPath string, args ...string) (*process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, clean(os.Environ())
	cmd.SysProcAttr = withParent()
	if err := cmd.Start(); err != nil {
		log.Close()
		return nil, err
	}
	p := &process{cmd: cmd, log: log, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // how it ended is in its log
		log.Close()
	}()
	return p, nil
}

// running says whether it has not ended.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// end sends a signal and waits for the end.
func (p *process) end(sig os.Signal) {
	_ = p.cmd.Process.Signal(sig) // it may have ended by itself
	<-p.ended
}
