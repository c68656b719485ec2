package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// runCapsule starts the first process of new namespaces (processes, mounts, network, names, IPC), says its pid, and ends
// with it. When that process ends, the kernel ends all others and removes what they mounted and set up.
func runCapsule(arguments []string) error {
	outliveReaders()
	child := exec.Command("/proc/self/exe", append([]string{"process-one"}, arguments...)...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Setsid:     true,
	}
	if err := child.Start(); err != nil {
		return fmt.Errorf("cannot make namespaces (needs root): %w", err)
	}
	tell(event{Event: "capsule", Pid: child.Process.Pid})
	return child.Wait()
}

// An order, one line of JSON on standard input: a process to start.
type order struct {
	// Not a process: from now on the capsule outlives whoever gives the orders. Before, it ends with them.
	Detach bool     `json:"detach"`
	Name   string   `json:"name"`
	Argv   []string `json:"argv"`
	Env    []string `json:"env"`
	// What it reads on its standard input; nothing by default.
	Input string `json:"input"`
	// The file that its output is appended to.
	Log string `json:"log"`
}

// An event, one line of JSON on standard output.
type event struct {
	Event string `json:"event"` // capsule, ready, started, refused, ended, detached
	Name  string `json:"name,omitempty"`
	// In the capsule; that of the capsule itself is the machine's.
	Pid  int `json:"pid,omitempty"`
	Code int `json:"code"`
	// Why an order was refused.
	Message string `json:"message,omitempty"`
}

// outliveReaders lets a write to one who has gone fail instead of ending the process. Not signal.Ignore, which would be
// inherited by all that is started.
func outliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

func tell(told event) {
	line, _ := json.Marshal(told)
	_, _ = os.Stdout.Write(append(line, '\n')) // whoever ordered may have gone
}

// A processOne is the parent of a cluster's components and of every process that lost its parent.
type processOne struct {
	mu    sync.Mutex
	names map[int]string
}

func runProcessOne(arguments []string) error {
	outliveReaders()
	surroundings, _, err := parseSurroundings("process-one", arguments)
	if err != nil {
		return err
	}
	if err := surroundings.enter(); err != nil {
		return err
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := coverKernelSettings(); err != nil {
		return err
	}
	one := &processOne{names: map[int]string{}}
	ended := make(chan os.Signal, 64)
	signal.Notify(ended, syscall.SIGCHLD)
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	tell(event{Event: "ready"})
	go one.takeOrders()
	for {
		select {
		case <-ended:
			one.reap()
		case <-terminated:
			return nil
		}
	}
}

func (one *processOne) takeOrders() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	detached := false
	for lines.Scan() {
		var wanted order
		err := json.Unmarshal(lines.Bytes(), &wanted)
		switch {
		case err != nil:
		case wanted.Detach:
			detached = true
			tell(event{Event: "detached"})
		default:
			err = one.start(wanted)
		}
		if err != nil {
			tell(event{Event: "refused", Name: wanted.Name, Message: err.Error()})
		}
	}
	if !detached {
		fmt.Fprintln(os.Stderr, "whoever started the cluster has gone, and it ends too")
		os.Exit(1)
	}
}

func (one *processOne) start(wanted order) error {
	if len(wanted.Argv) == 0 {
		return fmt.Errorf("an order without a command")
	}
	program, err := exec.LookPath(wanted.Argv[0])
	if err != nil {
		return err
	}
	output, err := os.OpenFile(wanted.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer output.Close()
	input, feed, err := os.Pipe()
	if err != nil {
		return err
	}
	defer input.Close()
	// Not os/exec: its Wait would race with reap, which waits for all.
	one.mu.Lock()
	pid, err := syscall.ForkExec(program, wanted.Argv, &syscall.ProcAttr{
		Env:   append(os.Environ(), wanted.Env...),
		Files: []uintptr{input.Fd(), output.Fd(), output.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err == nil {
		one.names[pid] = wanted.Name
		tell(event{Event: "started", Name: wanted.Name, Pid: pid})
	}
	one.mu.Unlock()
	go func() {
		_, _ = feed.WriteString(wanted.Input)
		feed.Close()
	}()
	return err
}

func (one *processOne) reap() {
	one.mu.Lock()
	defer one.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		name, ours := one.names[pid]
		if !ours {
			continue
		}
		delete(one.names, pid)
		told := event{Event: "ended", Name: name, Pid: pid, Code: exitCode(status)}
		tell(told)
		fmt.Fprintf(os.Stderr, "%s %s ended with code %d\n", time.Now().UTC().Format(time.RFC3339), name, told.Code)
	}
}

func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
