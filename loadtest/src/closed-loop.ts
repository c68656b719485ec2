// The closed-loop client: wrk, which sends the next request on a connection when the last answer is complete. It loads a
// proxy as far as it goes, so it tells CPU per request and throughput, and says nothing about latency.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fieldsOf } from "./fields.ts";
import type { Launch } from "./processes.ts";
import { findTool, repository } from "./tools.ts";

/** One run of wrk. */
export interface ClosedLoop {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Requests separated by NUL bytes. */
  readonly requestFile: string;
}

/** What wrk counted. */
export interface ClosedLoopTotals {
  readonly requests: number;
  readonly seconds: number;
  /** Bytes received, heads included. */
  readonly bytes: number;
  /** Answers with a status of 400 or more, and connections that failed in any way. */
  readonly failures: number;
}

/** How to start wrk with one thread; throws when it is not installed. */
export function closedLoopLaunch({ port, connections, seconds, requestFile }: ClosedLoop): Launch {
  const wrk = findTool("wrk");
  if (wrk.kind === "missing") throw new Error(`no load: ${wrk.reason}`);
  const script = join(repository, "loadtest/wrk/replay.lua");
  const load = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script];
  return { command: wrk.path, args: [...load, `http://127.0.0.1:${port}`, "--", requestFile], env: wrk.env };
}

/** Reads the totals from wrk's output file; throws when it did not get so far. */
export function readTotals(outputFile: string): ClosedLoopTotals {
  return parseTotals(readFileSync(outputFile, "utf8"));
}

/** The line that wrk/replay.lua writes. */
export function parseTotals(output: string): ClosedLoopTotals {
  const line = /^TOTALS (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk printed no totals: ${output.trim()}`);
  const given: unknown = JSON.parse(line);
  const totals = fieldsOf(given, "wrk's totals");
  const failures = ["connect", "read", "write", "timeout", "status"].reduce(
    (sum, name) => sum + totals.number(name),
    0,
  );
  return {
    requests: totals.number("requests"),
    seconds: totals.number("microseconds") / 1e6,
    bytes: totals.number("bytes"),
    failures,
  };
}
