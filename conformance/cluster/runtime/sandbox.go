package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// A sandbox is what the containers of a pod share: the network and the files about it.
type sandbox struct {
	id        string
	config    *cri.PodSandboxConfig
	handler   string
	created   int64
	state     cri.PodSandboxState // guarded by server.mu
	directory string
	network   *podNetwork // nil on the node's own network
	stopping  sync.Mutex
}

func (sb *sandbox) networkPath() string {
	if sb.network == nil {
		return ""
	}
	return sb.network.path()
}

func (sb *sandbox) resolvConf() string { return filepath.Join(sb.directory, "resolv.conf") }

func (s *server) RunPodSandbox(_ context.Context, r *cri.RunPodSandboxRequest) (*cri.RunPodSandboxResponse, error) {
	id := newID()
	sb := &sandbox{
		id: id, config: r.Config, handler: r.RuntimeHandler, created: time.Now().UnixNano(),
		state: cri.PodSandboxState_SANDBOX_READY, directory: filepath.Join(s.root, "pods", id),
	}
	for _, directory := range []string{sb.directory, r.Config.LogDirectory} {
		if directory == "" {
			continue
		}
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(sb.resolvConf(), []byte(resolvConf(r.Config.DnsConfig)), 0o644); err != nil {
		return nil, err
	}
	if r.Config.GetLinux().GetSecurityContext().GetNamespaceOptions().GetNetwork() != cri.NamespaceMode_NODE {
		address, err := s.addresses.take()
		if err != nil {
			return nil, err
		}
		sb.network, err = openPodNetwork(id, address, s.addresses.gateway, r.Config.GetLinux().GetSysctls())
		if err != nil {
			s.addresses.release(address)
			return nil, err
		}
	}
	s.mu.Lock()
	s.sandboxes[id] = sb
	s.mu.Unlock()
	return &cri.RunPodSandboxResponse{PodSandboxId: id}, nil
}

func resolvConf(dns *cri.DNSConfig) string {
	var text strings.Builder
	for _, server := range dns.GetServers() {
		fmt.Fprintf(&text, "nameserver %s\n", server)
	}
	if searches := dns.GetSearches(); len(searches) > 0 {
		fmt.Fprintf(&text, "search %s\n", strings.Join(searches, " "))
	}
	if options := dns.GetOptions(); len(options) > 0 {
		fmt.Fprintf(&text, "options %s\n", strings.Join(options, " "))
	}
	return text.String()
}

func (s *server) StopPodSandbox(_ context.Context, r *cri.StopPodSandboxRequest) (*cri.StopPodSandboxResponse, error) {
	if sb, err := s.sandbox(r.PodSandboxId); err == nil {
		s.stopSandbox(sb)
	}
	return &cri.StopPodSandboxResponse{}, nil
}

func (s *server) stopSandbox(sb *sandbox) {
	sb.stopping.Lock()
	defer sb.stopping.Unlock()
	for _, c := range s.containersOf(sb.id) {
		s.stop(c, 0)
	}
	s.mu.Lock()
	was := sb.state
	sb.state = cri.PodSandboxState_SANDBOX_NOTREADY
	s.mu.Unlock()
	if was == cri.PodSandboxState_SANDBOX_READY && sb.network != nil {
		sb.network.close()
		s.addresses.release(sb.network.address)
	}
}

func (s *server) containersOf(sandbox string) []*container {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*container
	for _, c := range s.containers {
		if c.sandbox == sandbox {
			found = append(found, c)
		}
	}
	return found
}

func (s *server) RemovePodSandbox(_ context.Context, r *cri.RemovePodSandboxRequest) (*cri.RemovePodSandboxResponse, error) {
	sb, err := s.sandbox(r.PodSandboxId)
	if err != nil {
		return &cri.RemovePodSandboxResponse{}, nil
	}
	s.stopSandbox(sb)
	for _, c := range s.containersOf(sb.id) {
		s.remove(c)
	}
	_ = os.RemoveAll(sb.directory)
	s.mu.Lock()
	delete(s.sandboxes, sb.id)
	s.mu.Unlock()
	return &cri.RemovePodSandboxResponse{}, nil
}

func (s *server) PodSandboxStatus(_ context.Context, r *cri.PodSandboxStatusRequest) (*cri.PodSandboxStatusResponse, error) {
	sb, err := s.sandbox(r.PodSandboxId)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	told := &cri.PodSandboxStatus{
		Id: sb.id, Metadata: sb.config.Metadata, State: sb.state, CreatedAt: sb.created, RuntimeHandler: sb.handler,
		Labels: sb.config.Labels, Annotations: sb.config.Annotations, Network: &cri.PodSandboxNetworkStatus{},
		Linux: &cri.LinuxPodSandboxStatus{Namespaces: &cri.Namespace{Options: sb.config.GetLinux().GetSecurityContext().GetNamespaceOptions()}},
	}
	if sb.network != nil {
		told.Network.Ip = sb.network.address.String()
	}
	return &cri.PodSandboxStatusResponse{Status: told, Timestamp: time.Now().UnixNano()}, nil
}

func (s *server) ListPodSandbox(_ context.Context, r *cri.ListPodSandboxRequest) (*cri.ListPodSandboxResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := &cri.ListPodSandboxResponse{}
	filter := r.GetFilter()
	for _, sb := range s.sandboxes {
		if filter.GetId() != "" && filter.GetId() != sb.id ||
			filter.GetState() != nil && filter.GetState().State != sb.state ||
			!matches(filter.GetLabelSelector(), sb.config.Labels) {
			continue
		}
		list.Items = append(list.Items, &cri.PodSandbox{
			Id: sb.id, Metadata: sb.config.Metadata, State: sb.state, CreatedAt: sb.created, RuntimeHandler: sb.handler,
			Labels: sb.config.Labels, Annotations: sb.config.Annotations,
		})
	}
	sort.Slice(list.Items, func(i, j int) bool { return list.Items[i].CreatedAt > list.Items[j].CreatedAt })
	return list, nil
}

func (s *server) UpdatePodSandboxResources(context.Context, *cri.UpdatePodSandboxResourcesRequest) (*cri.UpdatePodSandboxResourcesResponse, error) {
	return &cri.UpdatePodSandboxResourcesResponse{}, nil
}

func (s *server) ListPodSandboxStats(context.Context, *cri.ListPodSandboxStatsRequest) (*cri.ListPodSandboxStatsResponse, error) {
	return &cri.ListPodSandboxStatsResponse{}, nil
}
