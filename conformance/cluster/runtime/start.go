package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const standardPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// A containerSpec is what a container's first process is told before it becomes the program (runContainer).
type containerSpec struct {
	Layers, Upper, Work, Root string
	ReadOnlyRoot              bool
	Mounts                    []*cri.Mount
	ResolvConf, Hostname      string
	Argv, Env                 []string
	Directory                 string
	Identity                  identity
}

func (s *server) StartContainer(_ context.Context, r *cri.StartContainerRequest) (*cri.StartContainerResponse, error) {
	c, err := s.container(r.ContainerId)
	if err != nil {
		return nil, err
	}
	sb, err := s.sandbox(c.sandbox)
	if err != nil {
		return nil, err
	}
	layers, err := s.layers(c.image)
	if err != nil {
		return nil, err
	}
	spec, err := c.spec(sb, layers)
	if err != nil {
		return nil, err
	}
	if c.log, err = openLog(c.logPath); err != nil {
		return nil, err
	}
	problem, err := s.launch(c, sb, spec)
	if err != nil {
		c.log.close()
		return nil, err
	}
	if problem != "" {
		<-c.done
		return nil, errors.New(problem)
	}
	return &cri.StartContainerResponse{}, nil
}

func (c *container) spec(sb *sandbox, layers string) (*containerSpec, error) {
	who, err := identify(c.image, c.config.GetLinux().GetSecurityContext())
	if err != nil {
		return nil, err
	}
	spec := &containerSpec{
		Layers: layers, Upper: filepath.Join(c.directory, "upper"), Work: filepath.Join(c.directory, "work"), Root: c.root(),
		ReadOnlyRoot: c.config.GetLinux().GetSecurityContext().GetReadonlyRootfs(),
		Mounts:       c.config.Mounts, ResolvConf: sb.resolvConf(), Identity: who,
		Directory: firstOf(c.config.WorkingDir, c.image.WorkingDirectory, "/"),
		Env:       c.environment(),
	}
	if sb.network != nil {
		spec.Hostname = sb.config.Hostname
		spec.Env = append(spec.Env, "HOSTNAME="+sb.config.Hostname)
	}
	// A pod's command replaces the image's entrypoint and command, its args only the command.
	entrypoint, command := c.image.Entrypoint, c.image.Command
	if len(c.config.Command) > 0 {
		entrypoint, command = c.config.Command, nil
	}
	if len(c.config.Args) > 0 {
		command = c.config.Args
	}
	spec.Argv = append(append(spec.Argv, entrypoint...), command...)
	if len(spec.Argv) == 0 {
		return nil, fmt.Errorf("neither the image %q nor the pod has a command", c.image.Reference)
	}
	return spec, nil
}

func (c *container) environment() []string {
	environment := append([]string{standardPath}, c.image.Env...)
	for _, variable := range c.config.Envs {
		environment = append(environment, variable.Key+"="+string(variable.Value))
	}
	return environment
}

func firstOf(choices ...string) string {
	for _, choice := range choices {
		if choice != "" {
			return choice
		}
	}
	return ""
}

// launch returns once the program runs, or with what kept it from running.
func (s *server) launch(c *container, sb *sandbox, spec *containerSpec) (problem string, err error) {
	specReader, specWriter, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer specWriter.Close()
	problemReader, problemWriter, err := os.Pipe()
	if err != nil {
		specReader.Close()
		return "", err
	}
	defer problemReader.Close()
	child := exec.Command("/proc/self/exe", "container")
	child.ExtraFiles = []*os.File{specReader, problemWriter}
	child.Env = spec.Env
	stdout, stdoutErr := child.StdoutPipe()
	stderr, stderrErr := child.StderrPipe()
	flags := uintptr(syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC)
	if sb.network != nil {
		flags |= syscall.CLONE_NEWUTS
	}
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Setsid: true}
	err = errors.Join(stdoutErr, stderrErr)
	if err == nil {
		err = inNamespace(sb.networkPath(), child.Start)
	}
	specReader.Close()
	problemWriter.Close()
	if err != nil {
		return "", err
	}
	var output sync.WaitGroup
	output.Go(func() { c.log.copy(stdout, "stdout") })
	output.Go(func() { c.log.copy(stderr, "stderr") })
	_ = json.NewEncoder(specWriter).Encode(spec) // a reader that has gone says why by the other pipe
	specWriter.Close()
	said, _ := io.ReadAll(problemReader) // its end is closed by exec
	s.mu.Lock()
	c.pid, c.started, c.state = child.Process.Pid, time.Now().UnixNano(), cri.ContainerState_CONTAINER_RUNNING
	s.mu.Unlock()
	go func() {
		output.Wait()
		_ = child.Wait() // how it ended is in its state
		s.finish(c, child.ProcessState, string(said))
	}()
	return string(said), nil
}

func (s *server) finish(c *container, state *os.ProcessState, problem string) {
	s.mu.Lock()
	c.pid, c.finished, c.state = 0, time.Now().UnixNano(), cri.ContainerState_CONTAINER_EXITED
	c.exit, c.reason = 255, "Error"
	if ended, ok := state.Sys().(syscall.WaitStatus); ok {
		c.exit = int32(exitCode(ended))
	}
	switch {
	case problem != "":
		c.reason, c.message = "StartError", problem
	case c.exit == 0:
		c.reason = "Completed"
	}
	s.mu.Unlock()
	c.log.close()
	close(c.done)
}
