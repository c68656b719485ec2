package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// runContainer runs in a container's new namespaces: it makes the root directory and becomes the program. It gets its
// spec on descriptor 3, and says on 4 what went wrong; 4 is closed when the program runs.
func runContainer([]string) error {
	runtime.LockOSThread() // capabilities are a thread's
	problem := os.NewFile(4, "problem")
	unix.CloseOnExec(4)
	err := becomeContainer()
	fmt.Fprint(problem, err)
	os.Exit(128)
	return nil
}

func becomeContainer() error {
	in := os.NewFile(3, "spec")
	spec := &containerSpec{}
	if err := json.NewDecoder(in).Decode(spec); err != nil {
		return fmt.Errorf("spec: %w", err)
	}
	in.Close()
	if spec.Hostname != "" {
		if err := unix.Sethostname([]byte(spec.Hostname)); err != nil {
			return fmt.Errorf("set the host name: %w", err)
		}
	}
	if err := makeRoot(spec); err != nil {
		return err
	}
	if err := os.Chdir(spec.Directory); err != nil {
		return err
	}
	// Looked up before the user changes, as a directory on the way may be closed to it; by the container's own PATH.
	os.Clearenv()
	for _, variable := range spec.Env {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	program, err := exec.LookPath(spec.Argv[0])
	if err != nil {
		return err
	}
	if err := spec.Identity.assume(); err != nil {
		return err
	}
	return fmt.Errorf("exec %s: %w", program, syscall.Exec(program, spec.Argv, os.Environ()))
}

// A placedMount is a tree that waits for the root to change.
type placedMount struct {
	tree      int
	directory bool
	target    string
	readOnly  bool
}

func makeRoot(spec *containerSpec) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", spec.Layers, spec.Upper, spec.Work)
	if err := unix.Mount("overlay", spec.Root, "overlay", 0, options); err != nil {
		return fmt.Errorf("overlay %s: %w", options, err)
	}
	if err := makeSystemDirectories(spec.Root); err != nil {
		return err
	}
	mounts, err := openMounts(spec)
	if err != nil {
		return err
	}
	if err := os.Chdir(spec.Root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount the old root: %w", err)
	}
	for _, mount := range mounts {
		if err := mount.place(); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(spec.Directory, 0o755); err != nil {
		return err
	}
	if !spec.ReadOnlyRoot {
		return nil
	}
	// Not recursive: volumes have their own say.
	return setReadOnly(unix.AT_FDCWD, "/", 0)
}

func makeSystemDirectories(root string) error {
	at := func(path string) string { return filepath.Join(root, path) }
	for _, path := range []string{"/proc", "/dev", "/sys", "/etc", "/run", "/tmp"} {
		if err := os.MkdirAll(at(path), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(at("/tmp"), 0o1777); err != nil {
		return err
	}
	if err := mountAll(root, []systemMount{
		{"proc", "/proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"sysfs", "/sys", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RDONLY, ""},
		{"tmpfs", "/dev", unix.MS_NOSUID, "mode=755,size=65536k"},
		{"devpts", "/dev/pts", unix.MS_NOSUID | unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"},
		{"tmpfs", "/dev/shm", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, "mode=1777,size=64m"},
	}); err != nil {
		return err
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		if err := touch(at("/dev/" + name)); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+name, at("/dev/"+name), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("/dev/%s: %w", name, err)
		}
	}
	var failed []error
	for name, target := range map[string]string{
		"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		failed = append(failed, os.Symlink(target, at("/dev/"+name)))
	}
	return errors.Join(failed...)
}

type systemMount struct {
	kind, target string
	flags        uintptr
	options      string
}

func mountAll(root string, mounts []systemMount) error {
	for _, mount := range mounts {
		target := filepath.Join(root, mount.target)
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(mount.kind, target, mount.kind, mount.flags, mount.options); err != nil {
			return fmt.Errorf("mount %s: %w", mount.target, err)
		}
	}
	return nil
}

// openMounts opens the sources before the root changes; they are placed after it, so that a symbolic link in a target is
// followed inside the container.
func openMounts(spec *containerSpec) ([]placedMount, error) {
	var mounts []placedMount
	add := func(source, target string, readOnly bool) error {
		about, err := os.Stat(source)
		if err != nil {
			return err
		}
		tree, err := openTree(source)
		mounts = append(mounts, placedMount{tree, about.IsDir(), target, readOnly})
		return err
	}
	if about, err := os.Stat(spec.ResolvConf); err == nil && about.Size() > 0 {
		// A machine's own may be a symbolic link to nowhere.
		_ = os.Remove(filepath.Join(spec.Root, "/etc/resolv.conf"))
		if err := add(spec.ResolvConf, "/etc/resolv.conf", false); err != nil {
			return nil, err
		}
	}
	for _, mount := range spec.Mounts {
		if err := add(mount.HostPath, mount.ContainerPath, mount.Readonly); err != nil {
			return nil, err
		}
	}
	return mounts, nil
}

func (m *placedMount) place() error {
	var err error
	if m.directory {
		err = os.MkdirAll(m.target, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(m.target), 0o755); err == nil {
		err = touch(m.target)
	}
	if err != nil {
		return err
	}
	if m.readOnly {
		if err := setReadOnly(m.tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE); err != nil {
			return err
		}
	}
	return moveTree(m.tree, m.target)
}

func touch(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return err
	}
	return file.Close()
}

func setReadOnly(at int, path string, flags uint) error {
	if err := unix.MountSetattr(at, path, flags, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return fmt.Errorf("make %q read-only: %w", path, err)
	}
	return nil
}

// assume drops for good what the identity does not have.
func (who *identity) assume() error {
	for number := range capabilities {
		if slices.Contains(who.Capabilities, number) {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(number), 0, 0, 0); err != nil {
			return fmt.Errorf("drop %s: %w", capabilities[number], err)
		}
	}
	if err := syscall.Setgroups(who.Groups); err != nil {
		return fmt.Errorf("set groups: %w", err)
	}
	if err := syscall.Setgid(who.GID); err != nil {
		return fmt.Errorf("set group %d: %w", who.GID, err)
	}
	if err := syscall.Setuid(who.UID); err != nil {
		return fmt.Errorf("set user %d: %w", who.UID, err)
	}
	if who.NoNewPrivileges {
		return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	return nil
}
