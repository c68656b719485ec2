/**
 * Listeners that cannot share a port. Within one Gateway nobody wins: all listeners that clash are left out (Gateway API,
 * "Handling indistinct Listeners"). Between Gateways that are bound to the same address and port the older Gateway wins,
 * then the one first by namespace and name, so that a newcomer cannot take traffic from what works.
 */
import { ANY_HOST } from "../hostname.ts";
import type { Flaw } from "../flaw.ts";
import type { GatewayDraft, ListenerDraft } from "./gateway-plan.ts";

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
    const samePort = listeners.filter((other) => boundPort(other) === boundPort(listener));
    const foreign = samePort.filter((other) => other.protocol !== listener.protocol);
    const twins = samePort.filter((other) => other !== listener && hostOf(other) === hostOf(listener));
    if (foreign.length > 0) conflicts.set(listener, toProtocolConflict(listener, `that of ${tellListeners(foreign)}`));
    else if (twins.length > 0) conflicts.set(listener, toHostnameConflict(listener, tellListeners(twins)));
  }
}

/** Who serves what, by `address port`. */
type Claims = Map<string, { readonly protocol: string; readonly owner: string; readonly hosts: Map<string, string> }>;

function findOuterConflict(claims: Claims, listener: ListenerDraft): Flaw | undefined {
  for (const { address, port } of listener.binds) {
    const held = claims.get(`${address} ${port}`);
    if (held === undefined) continue;
    const where = `the older Gateway ${held.owner} on ${address}`;
    if (held.protocol !== listener.protocol) return toProtocolConflict(listener, `that of ${where}`);
    const owner = held.hosts.get(hostOf(listener));
    if (owner !== undefined) return toHostnameConflict(listener, `the older Gateway ${owner} on ${address}`);
  }
  return undefined;
}

function claim(claims: Claims, draft: GatewayDraft, listener: ListenerDraft): void {
  const owner = ownerOf(draft);
  for (const { address, port } of listener.binds) {
    const key = `${address} ${port}`;
    const held = claims.get(key) ?? { protocol: listener.protocol ?? "", owner, hosts: new Map() };
    held.hosts.set(hostOf(listener), owner);
    claims.set(key, held);
  }
}

function toProtocolConflict(listener: ListenerDraft, other: string): Flaw {
  const { spec, path } = listener;
  return {
    reason: "ProtocolConflict",
    code: "conflict",
    path: `${path}.protocol`,
    message: `port ${tellPort(listener)} cannot serve both the protocol of the listener ${spec.name} (${spec.protocol}) and ${other}`,
    hint: "give them different ports",
  };
}

function toHostnameConflict(listener: ListenerDraft, other: string): Flaw {
  const { spec, path } = listener;
  const hostname = spec.hostname === undefined ? "all hostnames" : `the hostname ${spec.hostname}`;
  return {
    reason: "HostnameConflict",
    code: "conflict",
    path: spec.hostname === undefined ? path : `${path}.hostname`,
    message: `the listener ${spec.name} serves ${hostname} on port ${tellPort(listener)}, and so does ${other}`,
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

function hostOf({ spec }: ListenerDraft): string {
  return spec.hostname ?? ANY_HOST;
}

/** All listeners of a Gateway are bound to the same addresses. */
function boundPort(listener: ListenerDraft): number | undefined {
  return listener.binds[0]?.port;
}

function ownerOf({ gateway }: GatewayDraft): string {
  return `${gateway.namespace}/${gateway.name}`;
}
