package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// An identity is what a process may do: its user and its capabilities.
type identity struct {
	UID, GID        int
	Groups          []int
	NoNewPrivileges bool
	// What may ever be held; a user other than root holds none of it.
	Capabilities []int
}

// The numbers of linux/capability.h are the places in this list.
var capabilities = []string{
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
	"NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
	"SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
	"AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
	"PERFMON", "BPF", "CHECKPOINT_RESTORE",
}

// What container runtimes give where a pod says nothing.
var usualCapabilities = []string{
	"CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE",
	"SYS_CHROOT", "KILL", "AUDIT_WRITE",
}

func identify(from *image, context *cri.LinuxContainerSecurityContext) (identity, error) {
	who := identity{NoNewPrivileges: context.GetNoNewPrivs()}
	user := from.User
	if context.GetRunAsUser() != nil {
		user = strconv.FormatInt(context.RunAsUser.Value, 10)
	} else if context.GetRunAsUsername() != "" {
		user = context.RunAsUsername
	}
	uid, gid, hasGroup := strings.Cut(user, ":")
	var err error
	if who.UID, err = parseID(uid); err != nil {
		return who, err
	}
	if hasGroup {
		if who.GID, err = parseID(gid); err != nil {
			return who, err
		}
	}
	if group := context.GetRunAsGroup(); group != nil {
		who.GID = int(group.Value)
	}
	for _, group := range context.GetSupplementalGroups() {
		who.Groups = append(who.Groups, int(group))
	}
	who.Capabilities, err = capabilitiesOf(context)
	return who, err
}

func parseID(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	id, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("user %q: only numbers are known here", text)
	}
	return id, nil
}

func capabilitiesOf(context *cri.LinuxContainerSecurityContext) ([]int, error) {
	held := map[int]bool{}
	set := func(names []string, has bool) error {
		for _, name := range names {
			numbers, err := capabilityNumbers(name)
			if err != nil {
				return err
			}
			for _, number := range numbers {
				held[number] = has
			}
		}
		return nil
	}
	start := usualCapabilities
	if context.GetPrivileged() {
		start = []string{"ALL"}
	}
	for _, step := range []struct {
		names []string
		has   bool
	}{
		{start, true},
		{all(context.GetCapabilities().GetAddCapabilities()), true},
		{context.GetCapabilities().GetDropCapabilities(), false},
		// What is named is held even where everything is dropped.
		{named(context.GetCapabilities().GetAddCapabilities()), true},
	} {
		if err := set(step.names, step.has); err != nil {
			return nil, err
		}
	}
	var numbers []int
	for number, has := range held {
		if has {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func capabilityNumbers(name string) ([]int, error) {
	name = strings.TrimPrefix(strings.ToUpper(name), "CAP_")
	if name == "ALL" {
		every := make([]int, len(capabilities))
		for number := range every {
			every[number] = number
		}
		return every, nil
	}
	number := slices.Index(capabilities, name)
	if number < 0 {
		return nil, fmt.Errorf("there is no capability %q", name)
	}
	return []int{number}, nil
}

func all(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.EqualFold(name, "ALL") })
}

func named(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return strings.EqualFold(name, "ALL") })
}
