// The programs a cluster is made of, and the tools of the system it calls.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildGo, type GoProgram } from "../go-program.ts";

/** Paths of what is built. */
export interface ClusterPrograms {
  /** etcd, the control plane, kubelet, kube-proxy, kubectl, certificates and load balancer addresses, by first argument. */
  readonly kubernetes: string;
  /** The capsule and the container runtime. */
  readonly runtime: string;
  readonly dns: string;
}

const VERSION = "k8s.io/component-base/version";
/** Debugging information doubles what the compiler writes, and nobody debugs these. */
const WITHOUT_DEBUGGING = ["-gcflags=all=-dwarf=false"];
const here = (name: string): string => join(import.meta.dirname, name);

const PROGRAMS = {
  runtime: { name: "runtime", directory: here("runtime"), flags: WITHOUT_DEBUGGING, usually: "half a minute" },
  kubernetes: {
    name: "kubernetes",
    directory: here("kubernetes"),
    flags: WITHOUT_DEBUGGING,
    linkerFlags: ["gitVersion=v1.37.2", "gitMajor=1", "gitMinor=37", "gitTreeState=clean"].map(
      (setting) => `-X ${VERSION}.${setting}`,
    ),
    usually: "7 to 14 minutes",
  },
  dns: { name: "coredns", directory: here("dns"), flags: WITHOUT_DEBUGGING, usually: "2 minutes" },
} as const satisfies Record<keyof ClusterPrograms, GoProgram>;

/** Tools of the system, and the packages of Debian that hold them. */
const TOOLS = { ip: "iproute2", nft: "nftables", nsenter: "util-linux", flock: "util-linux" } as const;

/** Builds what is not there yet. */
export async function buildPrograms(say: (line: string) => void): Promise<ClusterPrograms> {
  // One after the other: each uses all cores.
  const runtime = await buildGo(PROGRAMS.runtime, say);
  const kubernetes = await buildGo(PROGRAMS.kubernetes, say);
  return { runtime, kubernetes, dns: await buildGo(PROGRAMS.dns, say) };
}

/** Builds only what holds etcd and the control plane, and tells its path. */
export async function buildKubernetes(say: (line: string) => void): Promise<string> {
  return buildGo(PROGRAMS.kubernetes, say);
}

/** Throws an Error that says what to do where this machine or user cannot have a cluster. */
export function requireMachine(): void {
  if (process.platform !== "linux") throw new Error("a cluster of processes needs Linux");
  if (process.getuid?.() !== 0) throw new Error("a cluster makes namespaces and mounts: run it as root");
  const directories = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];
  const missing = Object.entries(TOOLS).filter(([tool]) => !directories.some((path) => existsSync(join(path, tool))));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))].join(" ");
  throw new Error(`a cluster needs ${missing.map(([tool]) => tool).join(", ")}: apt-get install ${packages}`);
}
