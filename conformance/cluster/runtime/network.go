package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// An addressPool gives the pods of a node their addresses, the one that was free the longest first.
type addressPool struct {
	mu      sync.Mutex
	prefix  netip.Prefix
	gateway netip.Addr
	next    netip.Addr
	used    map[netip.Addr]bool
}

func newAddressPool(prefix netip.Prefix) *addressPool {
	gateway := prefix.Masked().Addr().Next()
	return &addressPool{prefix: prefix.Masked(), gateway: gateway, next: gateway.Next(), used: map[netip.Addr]bool{}}
}

func (p *addressPool) take() (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for first := p.next; ; {
		address := p.next
		p.next = address.Next()
		// The last address of a network is its broadcast address.
		if !p.prefix.Contains(p.next.Next()) {
			p.next = p.gateway.Next()
		}
		if !p.used[address] {
			p.used[address] = true
			return address, nil
		}
		if p.next == first {
			return netip.Addr{}, errors.New("every pod address of this node is in use")
		}
	}
}

func (p *addressPool) release(address netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.used, address)
}

// A podNetwork is the network namespace of a pod, linked to the node by a pair of interfaces.
type podNetwork struct {
	name    string
	address netip.Addr
}

func (n *podNetwork) path() string { return filepath.Join("/run/netns", n.name) }

// The node's end; interface names have at most 15 characters.
func (n *podNetwork) link() string { return "v" + n.name }

// openPodNetwork links it point to point: every packet between pods goes through the node, so that kube-proxy's rules
// see it.
func openPodNetwork(id string, address, gateway netip.Addr, sysctls map[string]string) (*podNetwork, error) {
	n := &podNetwork{name: id[:12], address: address}
	steps := []func() error{
		func() error { return ip("", "netns add "+n.name) },
		func() error {
			return ip("", fmt.Sprintf("link add %[1]s type veth peer name eth0 netns %[2]s\nlink set %[1]s up\naddr add %[3]s/32 dev %[1]s\nroute add %[4]s/32 dev %[1]s",
				n.link(), n.name, gateway, address))
		},
		func() error {
			return ip(n.name, fmt.Sprintf("link set lo up\nlink set eth0 up\naddr add %[1]s/32 dev eth0\nroute add %[2]s/32 dev eth0 scope link\nroute add default via %[2]s dev eth0",
				address, gateway))
		},
		func() error { return inNamespace(n.path(), func() error { return setSysctls(sysctls) }) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			n.close()
			return nil, err
		}
	}
	return n, nil
}

// close removes whatever is there of it.
func (n *podNetwork) close() {
	_ = exec.Command("ip", "link", "del", n.link()).Run()
	_ = exec.Command("ip", "netns", "del", n.name).Run()
}

func setSysctls(wanted map[string]string) error {
	// As container runtimes do it: ports below 1024 are open to every user of the pod.
	all := map[string]string{"net.ipv4.ip_unprivileged_port_start": "0"}
	for name, value := range wanted {
		all[name] = value
	}
	for name, value := range all {
		if err := os.WriteFile(filepath.Join("/proc/sys", strings.ReplaceAll(name, ".", "/")), []byte(value), 0o644); err != nil {
			return fmt.Errorf("sysctl %s: %w", name, err)
		}
	}
	return nil
}

func ip(namespace, lines string) error {
	arguments := []string{"-batch", "-"}
	if namespace != "" {
		arguments = append([]string{"-n", namespace}, arguments...)
	}
	command := exec.Command("ip", arguments...)
	command.Stdin = strings.NewReader(lines + "\n")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", lines, err, output)
	}
	return nil
}

// inNamespace runs f in a network namespace; "" is our own.
func inNamespace(path string, f func() error) error {
	if path == "" {
		return f()
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		namespace, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			done <- err
			return
		}
		defer unix.Close(namespace)
		if err := unix.Setns(namespace, unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}
