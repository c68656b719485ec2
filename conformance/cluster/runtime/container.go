package main

import (
	"context"
	"os"
	"path/filepath"
	"sort"
	"syscall"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// A container is one process, the first of a process namespace, and what it starts.
type container struct {
	id, sandbox string
	config      *cri.ContainerConfig
	image       *image
	created     int64
	directory   string
	logPath     string
	log         *logFile
	done        chan struct{} // closed when the process has ended

	// Guarded by server.mu.
	state             cri.ContainerState
	started, finished int64
	exit              int32
	reason, message   string
	pid               int
}

func (c *container) root() string { return filepath.Join(c.directory, "root") }

func (s *server) CreateContainer(_ context.Context, r *cri.CreateContainerRequest) (*cri.CreateContainerResponse, error) {
	sb, err := s.sandbox(r.PodSandboxId)
	if err != nil {
		return nil, err
	}
	found := s.images.find(r.Config.GetImage().GetImage())
	if found == nil {
		found = s.images.find(r.Config.GetImage().GetUserSpecifiedImage())
	}
	if found == nil {
		return nil, status.Errorf(codes.NotFound, "the cluster has no image %q", r.Config.GetImage().GetImage())
	}
	id := newID()
	c := &container{
		id: id, sandbox: sb.id, config: r.Config, image: found, state: cri.ContainerState_CONTAINER_CREATED,
		created: time.Now().UnixNano(), directory: filepath.Join(s.root, "containers", id), done: make(chan struct{}),
	}
	for _, name := range []string{"upper", "work", "root"} {
		if err := os.MkdirAll(filepath.Join(c.directory, name), 0o755); err != nil {
			return nil, err
		}
	}
	if r.Config.LogPath != "" {
		c.logPath = filepath.Join(sb.config.LogDirectory, r.Config.LogPath)
	}
	s.mu.Lock()
	s.containers[id] = c
	s.mu.Unlock()
	return &cri.CreateContainerResponse{ContainerId: id}, nil
}

func (s *server) StopContainer(_ context.Context, r *cri.StopContainerRequest) (*cri.StopContainerResponse, error) {
	if c, err := s.container(r.ContainerId); err == nil {
		s.stop(c, time.Duration(r.Timeout)*time.Second)
	}
	return &cri.StopContainerResponse{}, nil
}

// stop asks by SIGTERM, and after the grace period does not ask.
func (s *server) stop(c *container, grace time.Duration) {
	s.mu.Lock()
	pid, state := c.pid, c.state
	if state == cri.ContainerState_CONTAINER_CREATED {
		c.state = cri.ContainerState_CONTAINER_EXITED
		c.finished = time.Now().UnixNano()
		c.exit, c.reason = 128+int32(syscall.SIGKILL), "NeverStarted"
	}
	s.mu.Unlock()
	if state != cri.ContainerState_CONTAINER_RUNNING || pid == 0 {
		return
	}
	if grace > 0 {
		_ = syscall.Kill(pid, syscall.SIGTERM)
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-c.done:
			return
		case <-timer.C:
		}
	}
	// The first process of a namespace takes the others with it.
	_ = syscall.Kill(pid, syscall.SIGKILL)
	<-c.done
}

func (s *server) RemoveContainer(_ context.Context, r *cri.RemoveContainerRequest) (*cri.RemoveContainerResponse, error) {
	if c, err := s.container(r.ContainerId); err == nil {
		s.remove(c)
	}
	return &cri.RemoveContainerResponse{}, nil
}

func (s *server) remove(c *container) {
	s.stop(c, 0)
	_ = os.RemoveAll(c.directory)
	s.mu.Lock()
	delete(s.containers, c.id)
	s.mu.Unlock()
}

func (s *server) ListContainers(_ context.Context, r *cri.ListContainersRequest) (*cri.ListContainersResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := &cri.ListContainersResponse{}
	filter := r.GetFilter()
	for _, c := range s.containers {
		if filter.GetId() != "" && filter.GetId() != c.id ||
			filter.GetPodSandboxId() != "" && filter.GetPodSandboxId() != c.sandbox ||
			filter.GetState() != nil && filter.GetState().State != c.state ||
			!matches(filter.GetLabelSelector(), c.config.Labels) {
			continue
		}
		name := c.config.GetImage().GetImage()
		list.Containers = append(list.Containers, &cri.Container{
			Id: c.id, PodSandboxId: c.sandbox, Metadata: c.config.Metadata, State: c.state, CreatedAt: c.created,
			Image: c.config.Image, ImageRef: name, ImageId: name, Labels: c.config.Labels, Annotations: c.config.Annotations,
		})
	}
	sort.Slice(list.Containers, func(i, j int) bool { return list.Containers[i].CreatedAt > list.Containers[j].CreatedAt })
	return list, nil
}

func (s *server) ContainerStatus(_ context.Context, r *cri.ContainerStatusRequest) (*cri.ContainerStatusResponse, error) {
	c, err := s.container(r.ContainerId)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := c.config.GetImage().GetImage()
	return &cri.ContainerStatusResponse{Status: &cri.ContainerStatus{
		Id: c.id, Metadata: c.config.Metadata, State: c.state, Image: c.config.Image, ImageRef: name, ImageId: name,
		CreatedAt: c.created, StartedAt: c.started, FinishedAt: c.finished, ExitCode: c.exit, Reason: c.reason, Message: c.message,
		Labels: c.config.Labels, Annotations: c.config.Annotations, Mounts: c.config.Mounts, LogPath: c.logPath,
	}}, nil
}

func (s *server) UpdateContainerResources(context.Context, *cri.UpdateContainerResourcesRequest) (*cri.UpdateContainerResourcesResponse, error) {
	return &cri.UpdateContainerResourcesResponse{}, nil
}

func (s *server) ReopenContainerLog(_ context.Context, r *cri.ReopenContainerLogRequest) (*cri.ReopenContainerLogResponse, error) {
	c, err := s.container(r.ContainerId)
	if err != nil {
		return nil, err
	}
	return &cri.ReopenContainerLogResponse{}, c.log.reopen()
}

func (s *server) ContainerStats(_ context.Context, r *cri.ContainerStatsRequest) (*cri.ContainerStatsResponse, error) {
	c, err := s.container(r.ContainerId)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return &cri.ContainerStatsResponse{Stats: c.stats()}, nil
}

func (s *server) ListContainerStats(context.Context, *cri.ListContainerStatsRequest) (*cri.ListContainerStatsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := &cri.ListContainerStatsResponse{}
	for _, c := range s.containers {
		list.Stats = append(list.Stats, c.stats())
	}
	return list, nil
}

// Without figures: there is no group of processes to take them from.
func (c *container) stats() *cri.ContainerStats {
	return &cri.ContainerStats{Attributes: &cri.ContainerAttributes{
		Id: c.id, Metadata: c.config.Metadata, Labels: c.config.Labels, Annotations: c.config.Annotations,
	}}
}
