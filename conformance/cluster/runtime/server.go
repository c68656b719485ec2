package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-streaming/pkg/streaming"
)

// A server is the runtime of one node. Its state lives as long as the process: a node of tests starts anew.
type server struct {
	cri.UnimplementedRuntimeServiceServer
	cri.UnimplementedImageServiceServer
	root      string
	images    imageStore
	addresses *addressPool
	streams   streaming.Server
	copying   sync.Mutex // of images

	mu         sync.Mutex
	sandboxes  map[string]*sandbox
	containers map[string]*container
}

func runServer(arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	socket := flags.String("listen", "/run/runtime.sock", "the socket of the CRI")
	root := flags.String("root", "/run/containers", "where containers have their files")
	images := flags.String("images", "", "directory of image descriptions")
	pods := flags.String("pod-cidr", "", "addresses of this node's pods")
	stream := flags.String("stream", "127.0.0.1:10011", "where exec and port-forward are served")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	prefix, err := netip.ParsePrefix(*pods)
	if err != nil {
		return fmt.Errorf("-pod-cidr: %w", err)
	}
	if *images == "" {
		return errors.New("needs -images")
	}
	if err := os.MkdirAll(*root, 0o755); err != nil {
		return err
	}
	s := &server{
		root: *root, images: imageStore(*images), addresses: newAddressPool(prefix),
		sandboxes: map[string]*sandbox{}, containers: map[string]*container{},
	}
	options := streaming.DefaultConfig
	options.Addr = *stream
	if s.streams, err = streaming.NewServer(options, streamRuntime{s}); err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- fmt.Errorf("streaming: %w", s.streams.Start(true)) }()
	go func() { failed <- s.serve(*socket) }()
	return <-failed
}

func (s *server) serve(socket string) error {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	rpc := grpc.NewServer(grpc.MaxRecvMsgSize(16<<20), grpc.MaxSendMsgSize(16<<20), grpc.UnaryInterceptor(logFailures))
	cri.RegisterRuntimeServiceServer(rpc, s)
	cri.RegisterImageServiceServer(rpc, s)
	log.Println("listening on", socket)
	return rpc.Serve(listener)
}

func logFailures(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	response, err := handle(ctx, request)
	if err != nil && status.Code(err) != codes.NotFound {
		log.Printf("%s: %v", info.FullMethod, err)
	}
	return response, err
}

func newID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return hex.EncodeToString(id)
}

func (s *server) sandbox(id string) (*sandbox, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return find(s.sandboxes, id, "sandbox")
}

func (s *server) container(id string) (*container, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return find(s.containers, id, "container")
}

// find takes the beginning of an id as well, as people type it.
func find[T any](all map[string]*T, id, what string) (*T, error) {
	if one := all[id]; one != nil {
		return one, nil
	}
	for key, one := range all {
		if id != "" && strings.HasPrefix(key, id) {
			return one, nil
		}
	}
	return nil, status.Errorf(codes.NotFound, "%s %q not found", what, id)
}

func matches(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return true
}

func (s *server) Version(context.Context, *cri.VersionRequest) (*cri.VersionResponse, error) {
	return &cri.VersionResponse{Version: "0.1.0", RuntimeName: "processes", RuntimeVersion: "1.0.0", RuntimeApiVersion: "v1"}, nil
}

func (s *server) Status(context.Context, *cri.StatusRequest) (*cri.StatusResponse, error) {
	return &cri.StatusResponse{
		Status: &cri.RuntimeStatus{Conditions: []*cri.RuntimeCondition{
			{Type: "RuntimeReady", Status: true}, {Type: "NetworkReady", Status: true},
		}},
		RuntimeHandlers: []*cri.RuntimeHandler{{Name: "", Features: &cri.RuntimeHandlerFeatures{}}},
		Features:        &cri.RuntimeFeatures{},
	}, nil
}

func (s *server) UpdateRuntimeConfig(context.Context, *cri.UpdateRuntimeConfigRequest) (*cri.UpdateRuntimeConfigResponse, error) {
	return &cri.UpdateRuntimeConfigResponse{}, nil
}

func (s *server) RuntimeConfig(context.Context, *cri.RuntimeConfigRequest) (*cri.RuntimeConfigResponse, error) {
	return &cri.RuntimeConfigResponse{Linux: &cri.LinuxRuntimeConfiguration{CgroupDriver: cri.CgroupDriver_CGROUPFS}}, nil
}
