// The closed-loop clients: each does the next thing when the last one is complete. They load a proxy as far as it goes, so
// they tell CPU per request and throughput, and say nothing about latency. Requests on kept connections come from wrk, over
// HTTP/2 from h2load, whole connections and datagrams from programs of our own.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { clientLaunch } from "./client-setup.ts";
import type { ClosedLoop, ClosedLoopTotals } from "./closed-loop-contract.ts";
import { fieldsOf } from "./fields.ts";
import { h2loadLaunch, parseH2loadReport } from "./http2/h2load.ts";
import type { Launch } from "./processes.ts";
import { writeOpensslConfig } from "./tls/negotiation.ts";
import { findTool, repository } from "./tools.ts";

/** How to start the client; throws when it is not installed. */
export function closedLoopLaunch(loop: ClosedLoop): Launch {
  const { exchange, port, connections, seconds, requestFile, certificate } = loop;
  if (exchange === "request") return loop.streams === undefined ? wrkLaunch(loop) : h2loadLaunch(loop);
  const sessions = exchange === "resumed handshake" ? "resumed" : "new";
  const program = exchange === "datagram" ? "udp/datagram-load.ts" : "tls/handshake-load.ts";
  return clientLaunch(program, { port, connections, seconds, requestFile, certificate, sessions, rate: 0 });
}

/** wrk with one thread. It has no options for TLS: what it offers is set for the library it uses. */
function wrkLaunch({ port, certificate, connections, seconds, requestFile }: ClosedLoop): Launch {
  const wrk = findTool("wrk");
  if (wrk.kind === "missing") throw new Error(`no load: ${wrk.reason}`);
  const script = join(repository, "loadtest/wrk/replay.lua");
  const load = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script];
  const secure = certificate !== "";
  const env = secure ? { ...wrk.env, OPENSSL_CONF: writeOpensslConfig(dirname(requestFile)) } : wrk.env;
  // Over TLS by name: an address is no server name.
  const address = secure ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  return { command: wrk.path, args: [...load, address, "--", requestFile], env };
}

/** The line of totals as the harness's own programs print it. */
export function totalsLine({ requests, seconds, bytes, failures }: ClosedLoopTotals): string {
  const rest = { connect: failures, read: 0, write: 0, timeout: 0, status: 0 };
  return `TOTALS ${JSON.stringify({ requests, microseconds: Math.round(seconds * 1e6), bytes, ...rest })}\n`;
}

/** Reads the totals from the client's output file; throws when it did not get so far. */
export function readTotals(outputFile: string, { streams }: Pick<ClosedLoop, "streams">): ClosedLoopTotals {
  const output = readFileSync(outputFile, "utf8");
  return streams === undefined ? parseTotals(output) : parseH2loadReport(output);
}

/** The line that wrk/replay.lua and totalsLine write. */
export function parseTotals(output: string): ClosedLoopTotals {
  const line = /^TOTALS (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`the client printed no totals: ${output.trim()}`);
  const given: unknown = JSON.parse(line);
  const totals = fieldsOf(given, "the client's totals");
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
