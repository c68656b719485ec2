/** Ports: listeners grouped by the address they bind, of one Gateway or several. */
import {
  type ConnectionOptions,
  type HttpServerOptions,
  type ProxyProtocolIn,
  toBindKey,
} from "@sallyport/model/listener";
import type { Problem } from "@sallyport/model/problem";
import { fail, ok, type Result } from "@sallyport/model/result";
import type { Snapshot } from "@sallyport/model/snapshot";
import type {
  BindTransport,
  CompiledBind,
  CompiledListener,
  CompiledStreamRoute,
  CompiledTls,
  RouteInput,
  RouteResult,
} from "../router/contract.ts";
import { HostTable } from "../router/host-table.ts";
import { toStrictest, toStrictestConnections } from "./http-options.ts";
import type { ListenerRoutes } from "./listeners.ts";
import type { ListenerStreams, Streams } from "./streams.ts";
import { compileTermination, type ListenerTermination } from "./terminations.ts";
import { PortTls, type TlsWay } from "./tls-chains.ts";

/** A listener with all that hangs on it. */
interface PortListener {
  readonly routes: ListenerRoutes;
  readonly streams: ListenerStreams | undefined;
  readonly termination: ListenerTermination | undefined;
}

type PortListeners = readonly [PortListener, ...PortListener[]];

/** One bound port. */
class ListenerBind implements CompiledBind {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly transport: BindTransport;
  readonly http: HttpServerOptions;
  readonly fallback: CompiledListener;
  readonly tls: CompiledTls | undefined;
  readonly stream: CompiledStreamRoute | undefined;
  readonly proxyProtocol: ProxyProtocolIn | undefined;
  readonly connections: ConnectionOptions;
  readonly limiter: string | undefined;
  /** What it was made of, to tell whether it can stay. */
  readonly listeners: PortListeners;
  readonly #table: HostTable<ListenerRoutes>;

  constructor(key: string, listeners: PortListeners) {
    const byHostname = toHostnames(listeners);
    const [first] = listeners;
    const { resource } = first.routes;
    this.key = key;
    this.address = resource.bind.address;
    this.port = resource.bind.port;
    this.transport = TRANSPORT_OF[resource.protocol];
    this.listeners = listeners;
    this.http = toStrictest(listeners.map(({ routes }) => routes.compiled.http));
    this.fallback = (byHostname.get("*") ?? first).routes.compiled;
    this.#table = new HostTable(new Map([...byHostname].map(([hostname, { routes }]) => [hostname, routes])));
    this.tls = this.transport === "tls" ? new PortTls(toWays(byHostname)) : undefined;
    const passesOn = this.transport === "tcp" || this.transport === "udp";
    this.stream = passesOn ? first.streams?.find(undefined) : undefined;
    this.proxyProtocol = resource.proxyProtocol;
    this.connections = toStrictestConnections(listeners.map(({ routes }) => routes.resource.connections));
    this.limiter = findLimiter(listeners, this.connections.maxConnections);
  }

  route(input: RouteInput): RouteResult | undefined {
    return this.#table.find(input.host)?.route(input);
  }
}

const TRANSPORT_OF: Readonly<Record<CompiledListener["protocol"], BindTransport>> = {
  http: "http",
  https: "tls",
  tls: "tls",
  "tls-passthrough": "tls",
  tcp: "tcp",
  udp: "udp",
};

function findLimiter(listeners: PortListeners, limit: number | undefined): string | undefined {
  if (limit === undefined) return undefined;
  return listeners.find(({ routes }) => routes.resource.connections?.maxConnections === limit)?.routes.resource.key;
}

/** Binds by key. */
export type Binds = ReadonlyMap<string, CompiledBind>;

/** What ports are made of. */
export interface BindInput {
  readonly listeners: Iterable<ListenerRoutes>;
  readonly streams: Streams;
  readonly snapshot: Snapshot;
}

/** Groups the listeners; binds none of whose parts changed are those of before. */
export function* compileBinds(before: Binds, input: BindInput): Generator<void, Result<Binds, Problem>, void> {
  const binds = new Map<string, CompiledBind>();
  const groups = groupByBind(input.listeners);
  yield;
  for (const [key, group] of groups) {
    const problem = findConflict(key, group);
    if (problem !== undefined) return fail(problem);
    const old = before.get(key);
    binds.set(key, yield* compileBind(old instanceof ListenerBind ? old : undefined, key, group, input));
    yield;
  }
  return ok(binds);
}

/** Listeners looked at between two yields. */
const SLICE = 256;

function* compileBind(
  old: ListenerBind | undefined,
  key: string,
  group: ListenerGroup,
  { streams, snapshot }: BindInput,
): Generator<void, ListenerBind, void> {
  const terminations = new Map(old?.listeners.map(({ routes, termination }) => [routes.resource.key, termination]));
  const toPortListener = (routes: ListenerRoutes): PortListener => {
    const { resource } = routes;
    const termination = compileTermination(resource, snapshot, terminations.get(resource.key));
    return { routes, streams: streams.listeners.get(resource.key), termination };
  };
  const [first, ...others] = group;
  const listeners: [PortListener, ...PortListener[]] = [toPortListener(first)];
  for (const routes of others) {
    if (listeners.push(toPortListener(routes)) % SLICE === 0) yield;
  }
  return old !== undefined && isSame(old.listeners, listeners) ? old : new ListenerBind(key, listeners);
}

type ListenerGroup = readonly [ListenerRoutes, ...ListenerRoutes[]];

/** In the order of listener keys, so that every worker groups them alike. */
function groupByBind(listeners: Iterable<ListenerRoutes>): ReadonlyMap<string, ListenerGroup> {
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
function toHostnames(listeners: PortListeners): ReadonlyMap<string, PortListener> {
  const byHostname = new Map<string, PortListener>();
  for (const listener of listeners) {
    const hostname = listener.routes.resource.hostname ?? "*";
    if (!byHostname.has(hostname)) byHostname.set(hostname, listener);
  }
  return byHostname;
}

function toWays(byHostname: ReadonlyMap<string, PortListener>): ReadonlyMap<string, TlsWay> {
  const ways = new Map<string, TlsWay>();
  for (const [hostname, { routes, termination, streams }] of byHostname) {
    ways.set(hostname, { listener: routes.compiled, termination, streams });
  }
  return ways;
}

function isSame(one: PortListeners, other: PortListeners): boolean {
  if (one.length !== other.length) return false;
  return one.every(({ routes, streams, termination }, at) => {
    const match = other[at];
    return routes === match?.routes && streams === match.streams && termination === match.termination;
  });
}

/**
 * What the listeners of one port must agree on: who has spoken before a server name or a host could tell them apart. The
 * trust in PROXY headers is not merged, because each way of merging gives one of them what it did not ask for.
 */
function findConflict(key: string, group: ListenerGroup): Problem | undefined {
  const [{ resource: first }] = group;
  const transport = TRANSPORT_OF[first.protocol];
  for (const { resource } of group) {
    if (TRANSPORT_OF[resource.protocol] !== transport) return toConflict(key, first.key, resource.key, "protocols");
    const { proxyProtocol } = resource;
    if (proxyProtocol !== first.proxyProtocol && JSON.stringify(proxyProtocol) !== JSON.stringify(first.proxyProtocol))
      return toConflict(key, first.key, resource.key, "PROXY protocol settings");
  }
  return undefined;
}

function toConflict(key: string, one: string, other: string, what: string): Problem {
  return {
    code: "conflict",
    severity: "error",
    message: `the listeners ${one} and ${other} want ${key} for different ${what}`,
    hint: "give one of them another port or address",
  };
}
