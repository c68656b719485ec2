/**
 * Listeners that cannot share a port. HTTP listeners share one by hostname, and so do listeners that are told apart by the
 * server name of a TLS handshake (HTTPS, and TLS of both modes); TCP and UDP listeners have nothing to be told apart by.
 * UDP ports are others than TCP ports of the same number.
 *
 * Within one Gateway nobody wins: all listeners that clash are left out (Gateway API, "Handling indistinct Listeners"). Between Gateways that are bound to the same address and port the older Gateway wins,
 * then the one first by namespace and name, so that a newcomer cannot take traffic from what works.
 */
import type { ListenerProtocol } from "@sallyport/model/listener";
import type { Flaw } from "../flaw.ts";
import { ANY_HOST } from "../hostname.ts";
import type { GatewayDraft, ListenerBind, ListenerDraft } from "./gateway-plan.ts";

/** The conflict of every listener that has one. */
export function findConflicts(drafts: readonly GatewayDraft[]): ReadonlyMap<ListenerDraft, Flaw> {
  const conflicts = new Map<ListenerDraft, Flaw>();
  for (const { listeners } of drafts) findInnerConflicts(listeners.filter(isContender), conflicts);
  const claims: Claims = new Map();
  for (const draft of [...drafts].filter(({ flaws }) => flaws.length === 0).toSorted(byAge)) {
    const free = draft.listeners.filter((listener) => isContender(listener) && !conflicts.has(listener));
    for (const listener of free) {
      const conflict = findOuterConflict(claims, listener);
      if (conflict !== undefined) conflicts.set(listener, conflict);
    }
    for (const listener of free) if (!conflicts.has(listener)) claim(claims, draft, listener);
  }
  return conflicts;
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
type Claims = Map<string, { readonly sharing: Sharing; readonly owner: string; readonly hosts: Map<string, string> }>;

function findOuterConflict(claims: Claims, listener: ListenerDraft): Flaw | undefined {
  for (const bind of listener.binds) {
    const held = claims.get(toClaimKey(listener, bind));
    if (held === undefined) continue;
    if (!isShareable(held.sharing, sharingOf(listener)))
      return toProtocolConflict(listener, `those of the older Gateway ${held.owner} on ${bind.address}`);
    const owner = held.hosts.get(hostOf(listener));
    if (owner !== undefined) return toHostnameConflict(listener, `the older Gateway ${owner} on ${bind.address}`);
  }
  return undefined;
}

function claim(claims: Claims, draft: GatewayDraft, listener: ListenerDraft): void {
  const owner = ownerOf(draft);
  for (const bind of listener.binds) {
    const key = toClaimKey(listener, bind);
    const held = claims.get(key) ?? { sharing: sharingOf(listener), owner, hosts: new Map() };
    held.hosts.set(hostOf(listener), owner);
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

function ownerOf({ gateway }: GatewayDraft): string {
  return `${gateway.namespace}/${gateway.name}`;
}
