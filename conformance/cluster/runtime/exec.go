package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// command is one that runs beside a container's own, in its namespaces and as its user.
func (s *server) command(ctx context.Context, id string, argv []string) (*exec.Cmd, error) {
	c, err := s.container(id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	pid := c.pid
	s.mu.Unlock()
	if pid == 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "container %s does not run", id)
	}
	who, err := identify(c.image, c.config.GetLinux().GetSecurityContext())
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, "nsenter", append([]string{
		"-t", strconv.Itoa(pid), "-m", "-u", "-i", "-n", "-p", "-r", "-w",
		"-S", strconv.Itoa(who.UID), "-G", strconv.Itoa(who.GID), "--",
	}, argv...)...)
	command.Env = c.environment()
	// nsenter waits for a child in the container: both are of one group, and end together.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	return command, nil
}

func (s *server) ExecSync(ctx context.Context, r *cri.ExecSyncRequest) (*cri.ExecSyncResponse, error) {
	if r.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(r.Timeout)*time.Second)
		defer cancel()
	}
	command, err := s.command(ctx, r.ContainerId, r.Cmd)
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err = command.Run()
	if ctx.Err() != nil {
		return nil, status.Errorf(codes.DeadlineExceeded, "command %v timed out", r.Cmd)
	}
	response := &cri.ExecSyncResponse{Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		response.ExitCode = int32((&exitStatus{exit}).ExitStatus())
		return response, nil
	}
	return response, err
}

// A streamRuntime does what clients have asked for by the URLs that the CRI hands out.
type streamRuntime struct{ server *server }

func (r streamRuntime) Exec(ctx context.Context, id string, argv []string, in io.Reader, out, errOut io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize) error {
	command, err := r.server.command(ctx, id, argv)
	if err != nil {
		return err
	}
	if in != nil {
		// Not command.Stdin: Wait would wait for the client to close it.
		feed, err := command.StdinPipe()
		if err != nil {
			return err
		}
		go func() {
			_, _ = io.Copy(feed, in)
			feed.Close()
		}()
	}
	if out != nil {
		command.Stdout = out
	}
	if errOut != nil {
		command.Stderr = errOut
	}
	err = command.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &exitStatus{exit}
	}
	return err
}

// An exitStatus is how k8s.io/utils/exec knows an exit code; a signal counts as one, as in a shell.
type exitStatus struct{ *exec.ExitError }

func (e *exitStatus) Exited() bool { return true }

func (e *exitStatus) ExitStatus() int {
	if status, ok := e.Sys().(syscall.WaitStatus); ok {
		return exitCode(status)
	}
	return e.ExitCode()
}

func (r streamRuntime) Attach(context.Context, string, io.Reader, io.WriteCloser, io.WriteCloser, bool, <-chan remotecommand.TerminalSize) error {
	return errors.New("attach is not supported here: use exec, or logs")
}

func (r streamRuntime) PortForward(ctx context.Context, id string, port int32, stream io.ReadWriteCloser) error {
	sb, err := r.server.sandbox(id)
	if err != nil {
		return err
	}
	var connection net.Conn
	err = inNamespace(sb.networkPath(), func() error {
		var err error
		// A literal address: no resolver, so that the dial stays on this thread.
		connection, err = (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		return err
	})
	if err != nil {
		return err
	}
	defer connection.Close()
	go func() {
		_, _ = io.Copy(connection, stream)
		if tcp, ok := connection.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	}()
	_, err = io.Copy(stream, connection)
	return err
}

func (s *server) Exec(_ context.Context, r *cri.ExecRequest) (*cri.ExecResponse, error) {
	if _, err := s.container(r.ContainerId); err != nil {
		return nil, err
	}
	return s.streams.GetExec(r)
}

func (s *server) Attach(_ context.Context, r *cri.AttachRequest) (*cri.AttachResponse, error) {
	return s.streams.GetAttach(r)
}

func (s *server) PortForward(_ context.Context, r *cri.PortForwardRequest) (*cri.PortForwardResponse, error) {
	return s.streams.GetPortForward(r)
}
