package consultest

import "syscall"

// withParent has the kernel end the agent when the test's process is killed and cannot clean up.
func withParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
