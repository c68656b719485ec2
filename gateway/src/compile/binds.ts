/** Ports: listeners grouped by the address they bind, of one Gateway or several. */
import { type HttpServerOptions, toBindKey } from "@sallyport/model/listener";
import type { Problem } from "@sallyport/model/problem";
import { fail, ok, type Result } from "@sallyport/model/result";
import type { CertificateSecret } from "@sallyport/model/secret";
import type { Snapshot } from "@sallyport/model/snapshot";
import type { CompiledBind, CompiledListener, CompiledTls, RouteInput, RouteResult } from "../router/contract.ts";
import { HostTable } from "../router/host-table.ts";
import { compileTls } from "./certificates.ts";
import { getResource } from "./changes.ts";
import { toStrictest } from "./http-options.ts";
import type { ListenerRoutes } from "./listeners.ts";

/** One bound port. */
class ListenerBind implements CompiledBind {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly http: HttpServerOptions;
  readonly fallback: CompiledListener;
  readonly tls: CompiledTls | undefined;
  /** What it was made of, to tell whether it can stay. */
  readonly listeners: readonly ListenerRoutes[];
  readonly secrets: readonly CertificateSecret[];
  readonly #table: HostTable<ListenerRoutes>;

  constructor(key: string, listeners: readonly [ListenerRoutes, ...ListenerRoutes[]], snapshot: Snapshot) {
    const byHostname = toHostnames(listeners);
    const [first] = listeners;
    this.key = key;
    this.address = first.resource.bind.address;
    this.port = first.resource.bind.port;
    this.listeners = listeners;
    this.http = toStrictest(listeners.map((listener) => listener.compiled.http));
    this.fallback = (byHostname.get("*") ?? first).compiled;
    this.#table = new HostTable(byHostname);
    const secrets = findSecrets(byHostname, snapshot);
    this.secrets = [...secrets.values()].flat();
    this.tls = first.resource.protocol === "https" ? compileTls(secrets) : undefined;
  }

  route(input: RouteInput): RouteResult | undefined {
    return this.#table.find(input.host)?.route(input);
  }
}

/** Binds by key. */
export type Binds = ReadonlyMap<string, CompiledBind>;

/** Groups the listeners; binds none of whose parts changed are those of before. */
export function compileBinds(
  before: Binds,
  listeners: Iterable<ListenerRoutes>,
  snapshot: Snapshot,
): Result<Binds, Problem> {
  const binds = new Map<string, CompiledBind>();
  for (const [key, group] of groupByBind(listeners)) {
    const [first] = group;
    const other = group.find((listener) => listener.resource.protocol !== first.resource.protocol);
    if (other !== undefined) return fail(toProtocolProblem(key, first, other));
    const bind = new ListenerBind(key, group, snapshot);
    const old = before.get(key);
    binds.set(key, old instanceof ListenerBind && isSame(old, bind) ? old : bind);
  }
  return ok(binds);
}

/** In the order of listener keys, so that every worker groups them alike. */
function groupByBind(
  listeners: Iterable<ListenerRoutes>,
): ReadonlyMap<string, readonly [ListenerRoutes, ...ListenerRoutes[]]> {
  const groups = new Map<string, [ListenerRoutes, ...ListenerRoutes[]]>();
  const ordered = [...listeners].sort((one, other) => (one.resource.key < other.resource.key ? -1 : 1));
  for (const listener of ordered) {
    const key = toBindKey(listener.resource);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [listener]);
    else group.push(listener);
  }
  return groups;
}

/** Of two listeners with one hostname the first counts; whoever made the snapshot should have left one out. */
function toHostnames(listeners: readonly ListenerRoutes[]): ReadonlyMap<string, ListenerRoutes> {
  const byHostname = new Map<string, ListenerRoutes>();
  for (const listener of listeners) {
    const hostname = listener.resource.hostname ?? "*";
    if (!byHostname.has(hostname)) byHostname.set(hostname, listener);
  }
  return byHostname;
}

function findSecrets(
  byHostname: ReadonlyMap<string, ListenerRoutes>,
  snapshot: Snapshot,
): ReadonlyMap<string, readonly CertificateSecret[]> {
  const secrets = new Map<string, readonly CertificateSecret[]>();
  for (const [hostname, { resource }] of byHostname) {
    const keys = resource.tls?.certificates ?? [];
    secrets.set(
      hostname,
      keys.map((key) => getResource(snapshot, "secret", key)).filter((found) => found !== undefined),
    );
  }
  return secrets;
}

function isSame(one: ListenerBind, other: ListenerBind): boolean {
  return isSameList(one.listeners, other.listeners) && isSameList(one.secrets, other.secrets);
}

function isSameList<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((item, at) => item === other[at]);
}

function toProtocolProblem(key: string, one: ListenerRoutes, other: ListenerRoutes): Problem {
  return {
    code: "conflict",
    severity: "error",
    message: `the listeners ${one.resource.key} and ${other.resource.key} want ${key} for different protocols`,
    hint: "give one of them another port or address",
  };
}
