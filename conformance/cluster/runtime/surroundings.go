package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The surroundings of a node: the machine's files, with /run, /tmp and all changes below /var its own, so that the fixed
// paths of a kubelet, of sockets and of network namespaces neither collide nor stay behind.
type surroundings struct {
	hostname string
	// Directories that stay the machine's own.
	keep []string
}

func parseSurroundings(name string, arguments []string) (*surroundings, []string, error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	wanted := &surroundings{}
	flags.StringVar(&wanted.hostname, "hostname", "", "name of the node")
	flags.Func("keep", "a directory that is not covered (may be repeated)", func(path string) error {
		wanted.keep = append(wanted.keep, path)
		return nil
	})
	if err := flags.Parse(arguments); err != nil {
		return nil, nil, err
	}
	return wanted, flags.Args(), nil
}

// runNode becomes a command in the surroundings of a further node.
func runNode(arguments []string) error {
	wanted, command, err := parseSurroundings("node", arguments)
	if err != nil {
		return err
	}
	if len(command) == 0 {
		return errors.New("needs a command")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_NEWUTS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := wanted.enter(); err != nil {
		return err
	}
	return syscall.Exec(command[0], command, os.Environ())
}

func (s *surroundings) enter() error {
	if err := unix.Sethostname([]byte(s.hostname)); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	kept := make([]int, len(s.keep))
	for i, path := range s.keep {
		tree, err := openTree(path)
		if err != nil {
			return err
		}
		kept[i] = tree
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	if err := unix.Mount("tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777"); err != nil {
		return fmt.Errorf("mount /tmp: %w", err)
	}
	if err := coverVar(); err != nil {
		return err
	}
	for i, path := range s.keep {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := moveTree(kept[i], path); err != nil {
			return err
		}
	}
	return nil
}

func coverVar() error {
	upper, work := "/run/var/upper", "/run/var/work"
	for _, directory := range []string{upper, work} {
		if err := os.MkdirAll(directory, 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=/var,upperdir=%s,workdir=%s", upper, work)
	if err := unix.Mount("overlay", "/var", "overlay", 0, options); err != nil {
		return fmt.Errorf("mount an overlay on /var: %w", err)
	}
	return nil
}

// What a kubelet sets in the kernel if it is not so already. These settings are the machine's, so that it is shown what it
// wants to see instead.
var kernelSettings = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

func coverKernelSettings() error {
	for name, value := range kernelSettings {
		shown := filepath.Join("/run/kernel-settings", strings.ReplaceAll(name, "/", "."))
		if err := os.MkdirAll(filepath.Dir(shown), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(shown, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := unix.Mount(shown, filepath.Join("/proc/sys", name), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("cover %s: %w", name, err)
		}
	}
	return nil
}

// openTree takes a copy of what is mounted at and below a path, to be placed by moveTree.
func openTree(path string) (int, error) {
	tree, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return 0, fmt.Errorf("open the tree %s: %w", path, err)
	}
	return tree, nil
}

func moveTree(tree int, path string) error {
	defer unix.Close(tree)
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("mount on %s: %w", path, err)
	}
	return nil
}
