// Which processor each side of a measurement runs on.
//
// The proxy gets a processor of its own wherever there are two: otherwise the scheduler moves backend and client onto its
// processor and back, and the cost of those moves lands in the proxy's figure (docs/benchmarks.md has the measurement).
import { readFileSync } from "node:fs";

/** Processor lists as taskset reads them; absent means free to move. */
export interface Layout {
  readonly name: string;
  readonly proxy?: string;
  readonly backend?: string;
  readonly client?: string;
}

/** Spreads the three sides over the processors that this process may use. */
export function layoutFor(processors: readonly number[], pinning: "on" | "off"): Layout {
  const [first, second, third, ...more] = processors;
  if (pinning === "off" || first === undefined || second === undefined) return { name: "not pinned" };
  const proxy = String(first);
  const backend = String(second);
  if (third === undefined)
    return { name: `proxy on ${proxy}, backend and client on ${backend}`, proxy, backend, client: backend };
  const client = [third, ...more].join(",");
  return { name: `proxy on ${proxy}, backend on ${backend}, client on ${client}`, proxy, backend, client };
}

/** The list form of /proc/self/status (`0-3,8`) as numbers. */
export function parseProcessorList(text: string): readonly number[] {
  return text
    .trim()
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [from = Number.NaN, to = from] = part.split("-").map(Number);
      if (!Number.isInteger(from) || !Number.isInteger(to)) throw new Error(`not a processor list: ${text}`);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
}

/** The processors that this process may run on. */
export function allowedProcessors(): readonly number[] {
  const list = /^Cpus_allowed_list:\s+(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  return parseProcessorList(list);
}
