package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// An image says which files a container sees and what it runs, as an image's configuration does.
type image struct {
	// With a tag: that one. Without: every tag of the repository that has no description of its own.
	Reference string `json:"reference"`
	// The files.
	Directory string `json:"directory"`
	// Whether the machine's own / lies under the files.
	OnMachine  bool     `json:"onMachine"`
	Entrypoint []string `json:"entrypoint"`
	Command    []string `json:"command"`
	Env        []string `json:"env"`
	// UID or UID:GID.
	User             string `json:"user"`
	WorkingDirectory string `json:"workingDirectory"`
}

// An imageStore is a directory of descriptions, read at every look, so that images can be added to a running node.
type imageStore string

func (store imageStore) list() []*image {
	names, _ := filepath.Glob(filepath.Join(string(store), "*.json"))
	found := make([]*image, 0, len(names))
	for _, name := range names {
		text, err := os.ReadFile(name)
		described := &image{}
		if err == nil {
			err = json.Unmarshal(text, described)
		}
		if err != nil {
			log.Printf("image description %s: %v", name, err)
			continue
		}
		found = append(found, described)
	}
	return found
}

// find gives nil where there is none.
func (store imageStore) find(reference string) *image {
	all := store.list()
	for _, wanted := range []string{reference, repositoryOf(reference)} {
		for _, described := range all {
			if described.Reference == wanted {
				return described
			}
		}
	}
	return nil
}

func repositoryOf(reference string) string {
	reference, _, _ = strings.Cut(reference, "@")
	if colon := strings.LastIndex(reference, ":"); colon > strings.LastIndex(reference, "/") {
		reference = reference[:colon]
	}
	return reference
}

// layers are the lower directories of a container's overlay, the top one first.
func (s *server) layers(i *image) (string, error) {
	if !i.OnMachine {
		return i.Directory, nil
	}
	// An overlay takes no layer that lies inside of another, so that what goes on top of / is copied to another file system.
	s.copying.Lock()
	defer s.copying.Unlock()
	top := filepath.Join(s.root, "images", filepath.Base(i.Directory))
	if _, err := os.Stat(top); err != nil {
		if err := os.MkdirAll(filepath.Dir(top), 0o755); err != nil {
			return "", err
		}
		draft := top + ".draft"
		if output, err := exec.Command("cp", "-a", i.Directory, draft).CombinedOutput(); err != nil {
			return "", fmt.Errorf("copy the image %s: %w: %s", i.Reference, err, output)
		}
		if err := os.Rename(draft, top); err != nil {
			return "", err
		}
	}
	return top + ":/", nil
}

func (i *image) describe(reference string) *cri.Image {
	told := &cri.Image{Id: reference, RepoTags: []string{reference}, Size: 1 << 20, Spec: &cri.ImageSpec{Image: reference}}
	// A kubelet needs it to judge runAsNonRoot.
	user, _, _ := strings.Cut(i.User, ":")
	uid, _ := strconv.ParseInt(user, 10, 64)
	told.Uid = &cri.Int64Value{Value: uid}
	return told
}

func (s *server) ImageStatus(_ context.Context, r *cri.ImageStatusRequest) (*cri.ImageStatusResponse, error) {
	reference := r.GetImage().GetImage()
	found := s.images.find(reference)
	if found == nil {
		return &cri.ImageStatusResponse{}, nil
	}
	return &cri.ImageStatusResponse{Image: found.describe(reference)}, nil
}

func (s *server) PullImage(_ context.Context, r *cri.PullImageRequest) (*cri.PullImageResponse, error) {
	reference := r.GetImage().GetImage()
	if s.images.find(reference) == nil {
		return nil, status.Errorf(codes.NotFound, "the cluster has no image %q, and pulls none; add it by addImage", reference)
	}
	return &cri.PullImageResponse{ImageRef: reference}, nil
}

func (s *server) ListImages(context.Context, *cri.ListImagesRequest) (*cri.ListImagesResponse, error) {
	list := &cri.ListImagesResponse{}
	for _, described := range s.images.list() {
		list.Images = append(list.Images, described.describe(described.Reference))
	}
	return list, nil
}

func (s *server) RemoveImage(context.Context, *cri.RemoveImageRequest) (*cri.RemoveImageResponse, error) {
	return &cri.RemoveImageResponse{}, nil
}

func (s *server) ImageFsInfo(context.Context, *cri.ImageFsInfoRequest) (*cri.ImageFsInfoResponse, error) {
	// A constant: nothing is ever collected here.
	usage := []*cri.FilesystemUsage{{
		Timestamp: time.Now().UnixNano(), FsId: &cri.FilesystemIdentifier{Mountpoint: s.root},
		UsedBytes: &cri.UInt64Value{Value: 1 << 20}, InodesUsed: &cri.UInt64Value{Value: 100},
	}}
	return &cri.ImageFsInfoResponse{ImageFilesystems: usage, ContainerFilesystems: usage}, nil
}
