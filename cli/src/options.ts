/** Parsers for command-line values. Each says what it wanted. */
import { isIP } from "node:net";
import { fail, ok, type Result } from "@sallyport/model/result";

const MAX_PORT = 65_535;

/** Where a server listens. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Parses `HOST:PORT`, `[V6]:PORT` or `:PORT` (all addresses). Port 0 lets the system choose. */
export function parseHostPort(text: string): Result<HostPort, string> {
  const colon = text.lastIndexOf(":");
  const port = colon < 0 ? undefined : parsePort(text.slice(colon + 1));
  if (port === undefined) return fail("wanted HOST:PORT, e.g. 127.0.0.1:15000 or [::1]:15000");
  const host = text.slice(0, colon);
  if (host === "") return ok({ host: "::", port });
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (bare !== host || host.includes(":")) {
    if (bare === host || isIP(bare) !== 6) return fail("an IPv6 address goes in brackets, e.g. [::1]:15000");
  } else if (!/^[A-Za-z0-9.-]+$/.test(host))
    return fail(`${JSON.stringify(host)} is neither an address nor a host name`);
  return ok({ host: bare, port });
}

/** Parses `A=B`: listeners of port A are bound at port B. */
export function parsePortMap(text: string): Result<readonly [from: number, to: number], string> {
  const [left = "", right = "", ...rest] = text.split("=");
  const from = parsePort(left);
  const to = parsePort(right);
  if (from === undefined || to === undefined || rest.length > 0) return fail("wanted A=B with two ports, e.g. 80=8080");
  return ok([from, to]);
}

/** Parses an integer of at least 1. */
export function parsePositiveInteger(text: string): Result<number, string> {
  return /^[1-9][0-9]{0,8}$/.test(text) ? ok(Number(text)) : fail("wanted a whole number of at least 1");
}

/** Parses an integer of at least 0. */
export function parseCount(text: string): Result<number, string> {
  return text === "0" ? ok(0) : parsePositiveInteger(text).ok ? ok(Number(text)) : fail("wanted a whole number");
}

function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= MAX_PORT ? port : undefined;
}

/** Parses `KEY=VALUE`, as labels are written. */
export function parseLabel(text: string): Result<readonly [key: string, value: string], string> {
  const [, key, value] = /^([A-Za-z0-9][-A-Za-z0-9_./]*)=([-A-Za-z0-9_.]*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) return fail("wanted KEY=VALUE, e.g. topology.istio.io/network=n1");
  return ok([key, value]);
}
