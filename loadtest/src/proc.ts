// Reads what the kernel knows of a process: CPU time in nanoseconds, time spent waiting for a CPU, and memory.
//
// Two sources of CPU time are read, because each alone is wrong somewhere: task/*/schedstat counts nanoseconds but forgets
// threads that have ended, /proc/PID/stat keeps those but counts hundredths of a second.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** CPU time of a set of processes up to now; subtract two readings to know a window. */
export interface CpuReading {
  /** Nanoseconds all threads ran. */
  readonly ranNs: number;
  /** Nanoseconds all threads were ready and had to wait: what other work on the machine took from them. */
  readonly waitedNs: number;
  /** Ticks in user mode and in the kernel, by stat. */
  readonly userTicks: number;
  readonly systemTicks: number;
}

/** Memory of a set of processes, in bytes. */
export interface MemoryReading {
  /** Resident set, shared pages of the program's files included. */
  readonly rss: number;
  /** Resident anonymous pages: heap and stacks, what the process costs on its own. */
  readonly rssAnon: number;
}

/** Time of all CPUs since boot in ticks, by what they did. */
export interface MachineReading {
  readonly busy: number;
  readonly stolen: number;
  readonly total: number;
}

/** USER_HZ: the unit of /proc/PID/stat and /proc/stat, part of the kernel's interface. */
export const ticksPerSecond = 100;

/** The fields of /proc/PID/stat that are used. The program's name may hold spaces and parentheses. */
export function parseProcessStat(text: string): { parent: number; userTicks: number; systemTicks: number } {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { parent: numberAt(fields, 1), userTicks: numberAt(fields, 11), systemTicks: numberAt(fields, 12) };
}

/** /proc/PID/task/TID/schedstat: nanoseconds run, nanoseconds waited, slices. */
export function parseSchedstat(text: string): { ranNs: number; waitedNs: number } {
  const fields = text.trim().split(/\s+/);
  return { ranNs: numberAt(fields, 0), waitedNs: numberAt(fields, 1) };
}

/** VmRSS and RssAnon of /proc/PID/status, which counts in KiB. A zombie has neither: zero. */
export function parseMemoryStatus(text: string): MemoryReading {
  const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
  return { rss: kibibytes("VmRSS") * 1024, rssAnon: kibibytes("RssAnon") * 1024 };
}

/** The first line of /proc/stat. Guest time is part of user time already, so it is not added. */
export function parseMachineStat(text: string): MachineReading {
  const line = text.slice(0, text.indexOf("\n")).trim().split(/\s+/).slice(1, 9);
  const total = line.reduce((sum, field) => sum + Number(field), 0);
  const idle = numberAt(line, 3) + numberAt(line, 4);
  const stolen = numberAt(line, 7);
  return { total, stolen, busy: total - idle - stolen };
}

/** The process and all its descendants, so that a master and its workers count as one. */
export function processTree(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const text = readOrEmpty(`/proc/${entry}/stat`);
    if (text === "") continue;
    const { parent } = parseProcessStat(text);
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** CPU time of these processes. One that has ended counts zero, so ask before it ends. */
export function readCpu(pids: readonly number[]): CpuReading {
  const sum = { ranNs: 0, waitedNs: 0, userTicks: 0, systemTicks: 0 };
  for (const pid of pids) {
    const stat = readOrEmpty(`/proc/${pid}/stat`);
    if (stat === "") continue;
    const { userTicks, systemTicks } = parseProcessStat(stat);
    sum.userTicks += userTicks;
    sum.systemTicks += systemTicks;
    for (const task of listOrEmpty(`/proc/${pid}/task`)) {
      const text = readOrEmpty(`/proc/${pid}/task/${task}/schedstat`);
      if (text === "") continue;
      const { ranNs, waitedNs } = parseSchedstat(text);
      sum.ranNs += ranNs;
      sum.waitedNs += waitedNs;
    }
  }
  return sum;
}

/** Memory of these processes. Shared pages are counted once per process: compare rssAnon, not rss, for several. */
export function readMemory(pids: readonly number[]): MemoryReading {
  const sum = { rss: 0, rssAnon: 0 };
  for (const pid of pids) {
    const { rss, rssAnon } = parseMemoryStatus(readOrEmpty(`/proc/${pid}/status`));
    sum.rss += rss;
    sum.rssAnon += rssAnon;
  }
  return sum;
}

/** Forgets how large these processes have been, so that the next peak is that of what follows. */
export function resetPeakMemory(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, "5");
    } catch {
      // It has ended, or belongs to somebody else: the peak is then that of its whole life, which is no smaller.
    }
  }
}

/** The largest resident set of each process since it was reset, in bytes, summed up. */
export function readPeakMemory(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + parsePeakMemory(readOrEmpty(`/proc/${pid}/status`)), 0);
}

/** VmHWM of /proc/PID/status, in bytes; zero where there is none. */
export function parsePeakMemory(text: string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}

/** What the whole machine has done so far. */
export function readMachine(): MachineReading {
  return parseMachineStat(readFileSync("/proc/stat", "utf8"));
}

/** CPU time between two readings. */
export interface CpuSpent {
  readonly seconds: number;
  readonly waitedSeconds: number;
  /** Share of the time in user mode, 0..1; sampled by the kernel's tick, so it needs a second or more. */
  readonly userShare: number;
}

/** What was spent between two readings of the same processes. */
export function cpuSpent(before: CpuReading, after: CpuReading): CpuSpent {
  const user = after.userTicks - before.userTicks;
  const system = after.systemTicks - before.systemTicks;
  const byTicks = (user + system) / ticksPerSecond;
  const byThreads = (after.ranNs - before.ranNs) / 1e9;
  // A gap wider than the tick's rounding means that a thread ended and took its nanoseconds with it.
  const threadEnded = byTicks - byThreads > 3 / ticksPerSecond;
  return {
    seconds: threadEnded ? byTicks : byThreads,
    waitedSeconds: Math.max(0, after.waitedNs - before.waitedNs) / 1e9,
    userShare: user + system === 0 ? 0 : user / (user + system),
  };
}

function numberAt(fields: readonly string[], index: number): number {
  const value = Number(fields[index]);
  if (!Number.isFinite(value)) throw new Error(`no number at field ${index} of ${JSON.stringify(fields)}`);
  return value;
}

// Processes and threads end while they are being read; that is no error here.
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function listOrEmpty(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
