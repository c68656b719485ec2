// What is on disk about a cluster, below .cache/cluster/NAME: its process, its certificates, configurations, images and logs.
import { readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** The name of a cluster where none is given. */
export const DEFAULT_NAME = "default";

/** Where a cluster keeps its files. */
export interface ClusterPaths {
  readonly directory: string;
  readonly certificates: string;
  readonly images: string;
  readonly logs: string;
  /** For clients inside of the cluster's network, with all rights. */
  readonly kubeconfig: string;
  /** Held while the cluster is brought up or down. */
  readonly lock: string;
}

/** The first process of a running cluster. */
export interface CapsuleRecord {
  readonly pid: number;
  /** Clock ticks since boot when it began (proc_pid_stat(5)): another process may get its pid one day. */
  readonly began: string;
  /** Paths of the programs it was made of. */
  readonly kubernetes: string;
}

const CLUSTERS = join(dirname(dirname(import.meta.dirname)), ".cache", "cluster");
/** Milliseconds between two looks for a process that ends. */
const PAUSE = 5;

/** The paths of a cluster. A name is a host name's part (RFC 1123): it becomes the names of nodes and files. */
export function pathsOf(name: string): ClusterPaths {
  if (!/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name))
    throw new Error(`"${name}" cannot name a cluster: up to 32 small letters, digits and hyphens`);
  const directory = join(CLUSTERS, name);
  return {
    directory,
    certificates: join(directory, "certificates"),
    images: join(directory, "images"),
    logs: join(directory, "logs"),
    kubeconfig: join(directory, "certificates", "admin.kubeconfig"),
    lock: `${directory}.lock`,
  };
}

/** Writes down which process a cluster is. */
export function writeRecord(paths: ClusterPaths, record: CapsuleRecord): void {
  writeFileSync(recordPath(paths), JSON.stringify(record));
}

/** The running process of a cluster; undefined where none runs. */
export function findRecord(paths: ClusterPaths): CapsuleRecord | undefined {
  let text: string;
  try {
    text = readFileSync(recordPath(paths), "utf8");
  } catch {
    return undefined; // never started, or ended before it said who it is
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by writeRecord
  const record = JSON.parse(text) as CapsuleRecord;
  return beginningOf(record.pid) === record.began ? record : undefined;
}

/** When a process began; undefined where it has ended, even if its parent has not looked yet. */
export function beginningOf(pid: number): string | undefined {
  const fields = statusFields(pid);
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** Ends a cluster with everything in it, and removes its files. */
export async function removeCluster(paths: ClusterPaths): Promise<void> {
  const record = findRecord(paths);
  if (record !== undefined) await endCapsule(record);
  rmSync(paths.directory, { recursive: true, force: true });
}

/** Ends the first process; it is over only when all others of its namespace are (pid_namespaces(7)). */
export async function endCapsule({ pid, began }: Pick<CapsuleRecord, "pid" | "began">): Promise<void> {
  if (beginningOf(pid) !== began) return;
  const parent = Number(statusFields(pid)[1]);
  // The one that made the namespaces and waits for it, unless that was killed.
  const waits = programOf(parent) === programOf(pid) ? [parent, pid] : [pid];
  const all = waits.map((one) => ({ one, since: beginningOf(one) }));
  process.kill(pid, "SIGKILL");
  for (const { one, since } of all) {
    while (since !== undefined && beginningOf(one) === since) await setTimeout(PAUSE);
  }
}

/** The last lines of a component's log. */
export async function logTail(paths: ClusterPaths, component: string, lines = 20): Promise<string> {
  try {
    const text = await readFile(join(paths.logs, `${component}.log`), "utf8");
    return text.trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "(it wrote no log)";
  }
}

/** The fields of proc_pid_stat(5) from the state on; none where there is no such process. */
function statusFields(pid: number): readonly string[] {
  try {
    // The name in parentheses, before them, may hold anything.
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    return [];
  }
}

function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}

function recordPath(paths: ClusterPaths): string {
  return join(paths.directory, "capsule.json");
}
