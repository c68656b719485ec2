/**
 * Listeners that cannot share a port. HTTP listeners share one by hostname, and so do listeners that are told apart by the
 * server name of a TLS handshake (HTTPS, and TLS of both modes); TCP and UDP listeners have nothing to be told apart by.
 * UDP ports are others than TCP ports of the same number.
 *
 * Within one Gateway nobody wins: all listeners that clash are left out (Gateway API, "Handling indistinct Listeners"). What
 * a Gateway does not claim is for its ListenerSets, the older ones first; among the listeners of one set again nobody wins.
 * Between Gateways that are bound to the same address and port the older Gateway wins, then the one first by namespace and
 * name, so that a newcomer cannot take traffic from what works.
 */
import type { ListenerProtocol } from "@sallyport/model/listener";
import type { Flaw } from "../flaw.ts";
import { ANY_HOST } from "../hostname.ts";
import {
  type GatewayDraft,
  type ListenerBind,
  type ListenerDraft,
  type ListenerOwner,
  tellOwner,
} from "./gateway-plan.ts";

/**
 * The conflict of every listener that has one. In a cluster (`apart`) Gateways have proxies of their own and are in nobody's
 * way.
 */
export function findConflicts(drafts: readonly GatewayDraft[], apart = false): ReadonlyMap<ListenerDraft, Flaw> {
  const conflicts = new Map<ListenerDraft, Flaw>();
  const shared: Claims = new Map();
  for (const draft of [...drafts].toSorted(byAge)) {
    const claims: Claims = apart ? new Map() : shared;
    // What is wrong within a Gateway is so whoever else there is.
    findInnerConflicts(draft.listeners.filter(isContender), conflicts);
    if (draft.flaws.length > 0) continue;
    settle({ claims, conflicts, draft }, draft.listeners);
    for (const { listeners, flaws } of draft.sets)
      if (flaws.length === 0) settle({ claims, conflicts, draft }, listeners);
  }
  return conflicts;
}

interface Settlement {
  readonly claims: Claims;
  readonly conflicts: Map<ListenerDraft, Flaw>;
  readonly draft: GatewayDraft;
}

/** Gives equals what nobody before them has: what a listener cannot have it does not keep from its equals either. */
function settle({ claims, conflicts, draft }: Settlement, equals: readonly ListenerDraft[]): void {
  const isFree = (listener: ListenerDraft): boolean => isContender(listener) && !conflicts.has(listener);
  for (const listener of equals.filter(isFree)) {
    const conflict = findOuterConflict(claims, draft, listener);
    if (conflict !== undefined) conflicts.set(listener, conflict);
  }
  findInnerConflicts(equals.filter(isFree), conflicts);
  for (const listener of equals.filter(isFree)) claim(claims, draft, listener);
}

/** Only a listener that would be served takes part. */
function isContender(listener: ListenerDraft): boolean {
  return listener.protocol !== undefined && listener.flaws.length === 0;
}

function byAge({ gateway: left }: GatewayDraft, { gateway: right }: GatewayDraft): number {
  const [leftKey, rightKey] = [left, right].map(({ age, namespace, name }) => [age, namespace, name].join("\0"));
  return (leftKey ?? "") < (rightKey ?? "") ? -1 : 1;
}

function findInnerConflicts(listeners: readonly ListenerDraft[], conflicts: Map<ListenerDraft, Flaw>): void {
  for (const listener of listeners) {
    const samePort = listeners.filter((other) => other !== listener && slotOf(other) === slotOf(listener));
    const foreign = samePort.filter((other) => !isShareable(sharingOf(listener), sharingOf(other)));
    const twins = samePort.filter((other) => hostOf(other) === hostOf(listener));
    if (foreign.length > 0) conflicts.set(listener, toProtocolConflict(listener, tellListeners(foreign)));
    else if (twins.length > 0) conflicts.set(listener, toHostnameConflict(listener, tellListeners(twins)));
  }
}

/** By what listeners on one port are told apart. */
type Sharing = "host" | "server-name" | "nothing";

const SHARING: Readonly<Record<ListenerProtocol, Sharing>> = {
  http: "host",
  https: "server-name",
  tls: "server-name",
  "tls-passthrough": "server-name",
  tcp: "nothing",
  udp: "nothing",
};

function sharingOf({ protocol }: ListenerDraft): Sharing {
  return protocol === undefined ? "nothing" : SHARING[protocol];
}

function isShareable(left: Sharing, right: Sharing): boolean {
  return left === right && left !== "nothing";
}

/** Who serves what, by transport, address and port. */
type Claims = Map<string, Claim>;

interface Claim {
  readonly sharing: Sharing;
  readonly first: Holder;
  readonly hosts: Map<string, Holder>;
}

interface Holder {
  readonly draft: GatewayDraft;
  readonly owner: ListenerOwner;
}

function findOuterConflict(claims: Claims, draft: GatewayDraft, listener: ListenerDraft): Flaw | undefined {
  for (const bind of listener.binds) {
    const held = claims.get(toClaimKey(listener, bind));
    if (held === undefined) continue;
    const first = tellHolder(held.first, draft, bind);
    if (!isShareable(held.sharing, sharingOf(listener))) return toProtocolConflict(listener, `those of ${first}`);
    if (tellPeers(held.first.draft) !== tellPeers(draft)) return toProxyConflict(listener, first);
    const holder = held.hosts.get(hostOf(listener));
    if (holder !== undefined) return toHostnameConflict(listener, tellHolder(holder, draft, bind));
  }
  return undefined;
}

/** Whose PROXY header is believed is asked before anything tells the listeners of a port apart. */
function tellPeers({ settings: { proxyProtocol } }: GatewayDraft): string {
  return proxyProtocol === undefined
    ? ""
    : `${proxyProtocol.required} ${[...proxyProtocol.trusted].toSorted().join(" ")}`;
}

/** What a Gateway's own ListenerSets may know of each other; other Gateways are told the Gateway only. */
function tellHolder({ draft: holding, owner }: Holder, draft: GatewayDraft, { address }: ListenerBind): string {
  if (holding !== draft) return `the older ${tellOwner(holding.gateway)} on ${address}`;
  return owner.kind === "Gateway" ? `the ${tellOwner(owner)}` : `the ${tellOwner(owner)}, which goes first`;
}

function claim(claims: Claims, draft: GatewayDraft, listener: ListenerDraft): void {
  const holder: Holder = { draft, owner: listener.owner };
  for (const bind of listener.binds) {
    const key = toClaimKey(listener, bind);
    const held = claims.get(key) ?? { sharing: sharingOf(listener), first: holder, hosts: new Map() };
    held.hosts.set(hostOf(listener), holder);
    claims.set(key, held);
  }
}

function toClaimKey({ protocol }: ListenerDraft, { address, port }: ListenerBind): string {
  return `${protocol === "udp" ? "udp" : "tcp"} ${address} ${port}`;
}

function toProtocolConflict(listener: ListenerDraft, others: string): Flaw {
  const { spec, path } = listener;
  return {
    reason: "ProtocolConflict",
    code: "conflict",
    path: `${path}.protocol`,
    message: `the listener ${spec.name} of protocol ${spec.protocol} cannot share port ${tellPort(listener)} with ${others}`,
    hint: "give them different ports",
  };
}

function toProxyConflict(listener: ListenerDraft, holder: string): Flaw {
  const { spec, path } = listener;
  return {
    reason: "ProtocolConflict",
    code: "conflict",
    path: `${path}.port`,
    message: `the listener ${spec.name} cannot share port ${tellPort(listener)} with ${holder}, which believes other peers' PROXY headers`,
    hint: "give both Gateways the same sallyport.io/proxy-protocol annotations, or different ports",
  };
}

function toHostnameConflict(listener: ListenerDraft, other: string): Flaw {
  const { spec, path, hostname } = listener;
  return {
    reason: "HostnameConflict",
    code: "conflict",
    path: hostname === undefined ? path : `${path}.hostname`,
    message: `the listener ${spec.name} serves ${hostname === undefined ? "all hostnames" : `the hostname ${hostname}`} on port ${tellPort(listener)}, and so does ${other}`,
    hint: "give them different hostnames, ports or (in Gateways of their own) addresses",
  };
}

/** With a port map, listeners of different ports may meet at one. */
function tellPort(listener: ListenerDraft): string {
  const bound = boundPort(listener);
  return bound === undefined || bound === listener.spec.port
    ? `${listener.spec.port}`
    : `${listener.spec.port} (bound as ${bound})`;
}

function tellListeners(listeners: readonly ListenerDraft[]): string {
  const names = listeners.map(({ spec }) => spec.name).join(", ");
  return listeners.length === 1 ? `the listener ${names}` : `the listeners ${names}`;
}

function hostOf({ hostname }: ListenerDraft): string {
  return hostname ?? ANY_HOST;
}

/** All listeners of a Gateway are bound to the same addresses. */
function boundPort(listener: ListenerDraft): number | undefined {
  return listener.binds[0]?.port;
}

/** Port and transport. */
function slotOf(listener: ListenerDraft): string {
  return `${listener.protocol === "udp" ? "udp" : "tcp"} ${boundPort(listener) ?? ""}`;
}
