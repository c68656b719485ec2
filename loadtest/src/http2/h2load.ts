// h2load (nghttp2) as the closed-loop client of HTTP/2: how it is started, and what its report says. Every request of a run has
// the fields and the body of the first one, and the paths rotate: real connections too repeat what a browser says of itself.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ClosedLoop, ClosedLoopTotals } from "../closed-loop-contract.ts";
import type { Launch } from "../processes.ts";
import { offered, offeredTls } from "../tls/negotiation.ts";
import { findTool } from "../tools.ts";
import { partsOf } from "./request-parts.ts";

/** Receive windows of 2^20 bytes, about what browsers have; h2load's own are a thousand times larger and never throttle a proxy. */
const windowBits = "20";

/** How to start h2load; throws when it is not installed. */
export function h2loadLaunch(loop: ClosedLoop): Launch {
  const h2load = findTool("h2load");
  if (h2load.kind === "missing") throw new Error(`no load of HTTP/2: ${h2load.reason}`);
  const { port, connections, streams = 1, total, seconds, requestFile, certificate } = loop;
  const folder = dirname(requestFile);
  const requests = readFileSync(requestFile, "latin1").split("\0").map(partsOf);
  const [first] = requests;
  if (first === undefined) throw new Error(`no requests in ${requestFile}`);
  const scheme = certificate === "" ? "http" : "https";
  const uris = join(folder, "uris.txt");
  writeFileSync(uris, requests.map(({ authority, path }) => `${scheme}://${authority}${path}\n`).join(""));
  const length = total === undefined ? ["-D", String(seconds)] : ["-n", String(total)];
  const load = ["-t", "1", "-c", String(connections), "-m", String(streams), "-w", windowBits, "-W", windowBits];
  // h2load says the length of its body itself.
  const fields = first.fields.filter(([name]) => name !== "content-length");
  const headers = fields.flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const address = ["--connect-to", `127.0.0.1:${port}`, "-i", uris];
  const body = first.body === "" ? [] : ["-d", writeBody(folder, first.body)];
  const { cipher, group } = offered;
  const secure =
    certificate === "" ? ["-p", "h2c"] : ["--npn-list", "h2", "--groups", group, "--tls13-ciphers", cipher];
  return {
    command: h2load.path,
    args: [...length, ...load, ...secure, ...headers, ...body, ...address],
    env: h2load.env,
  };
}

function writeBody(folder: string, body: string): string {
  const file = join(folder, "body.bin");
  writeFileSync(file, body, "latin1");
  return file;
}

/**
 * Reads h2load's report; throws when it has none, or when TLS was not what was offered. `bytes` are those of bodies. What was under
 * way when the time was up is no failure.
 */
export function parseH2loadReport(output: string): ClosedLoopTotals {
  const requests = /^requests: .*$/m.exec(output)?.[0];
  const seconds = /^finished in ([\d.]+)(us|ms|s),/m.exec(output);
  const data = /^traffic: .*\((\d+)\) data$/m.exec(output)?.[1];
  if (requests === undefined || seconds === null || data === undefined)
    throw new Error(`h2load printed no report: ${output.trim().slice(-300)}`);
  assertOffer(output);
  const counted = (name: string, line: string): number =>
    Number(new RegExp(`(\\d+) ${name}`).exec(line)?.[1] ?? Number.NaN);
  const statuses = /^status codes: .*$/m.exec(output)?.[0] ?? "";
  const other = counted("3xx", statuses) + counted("4xx", statuses) + counted("5xx", statuses);
  // "failed" counts the errored and those answered with another status, so it is not added to.
  const failed = Math.max(
    counted("failed", requests),
    counted("errored", requests) + counted("timeout", requests),
    other,
  );
  const units = { us: 1e-6, ms: 1e-3, s: 1 } as const;
  const unit = seconds[2] === "us" || seconds[2] === "ms" ? seconds[2] : "s";
  return {
    requests: counted("succeeded", requests),
    seconds: Number(seconds[1]) * units[unit],
    bytes: Number(data),
    failures: failed,
  };
}

function assertOffer(output: string): void {
  const version = /^TLS Protocol: (.*)$/m.exec(output)?.[1];
  if (version === undefined) return;
  const cipher = /^Cipher: (.*)$/m.exec(output)?.[1] ?? "";
  const key = /^Server Temp Key: (\S+)/m.exec(output)?.[1] ?? "";
  const protocol = /^Application protocol: (.*)$/m.exec(output)?.[1] ?? "";
  const negotiated = [version, cipher, key].join(", ");
  if (negotiated !== offeredTls || protocol !== "h2")
    throw new Error(`h2load negotiated ${negotiated} and ${protocol} instead of ${offeredTls} and h2`);
}
