/**
 * Listeners of TLS whose hostnames overlap (GEP-3567): a client may reuse a connection for any name its certificate covers, so
 * they are told. A Gateway may have thousands of listeners by its ListenerSets, so each asks for the wider hostnames above its
 * own and not for all others.
 */
import { ANY_HOST } from "../hostname.ts";
import { type ListenerDraft, tellOwner } from "./gateway-plan.ts";

/** The listeners of one Gateway that each one overlaps with; what is not in the map overlaps with none. */
export function findOverlaps(
  listeners: readonly ListenerDraft[],
): ReadonlyMap<ListenerDraft, readonly ListenerDraft[]> {
  const ofTls = listeners.filter(isTls);
  const byPlace = new Map<string, ListenerDraft[]>();
  for (const listener of ofTls) append(byPlace, toPlace(listener, hostOf(listener)), listener);
  const overlaps = new Map<ListenerDraft, ListenerDraft[]>();
  for (const listener of ofTls) {
    for (const twin of byPlace.get(toPlace(listener, hostOf(listener))) ?? []) {
      if (twin !== listener) append(overlaps, listener, twin);
    }
    for (const host of widerHosts(hostOf(listener))) {
      for (const wider of byPlace.get(toPlace(listener, host)) ?? []) {
        append(overlaps, listener, wider);
        append(overlaps, wider, listener);
      }
    }
  }
  return overlaps;
}

/** Names of overlapping listeners for people, not more than a condition has room for. */
export function tellOverlaps({ owner }: ListenerDraft, others: readonly ListenerDraft[]): string {
  const told = others
    .slice(0, MOST_NAMES)
    .map((other) => (other.owner === owner ? other.spec.name : `${other.spec.name} of the ${tellOwner(other.owner)}`));
  const rest = others.length - told.length;
  return rest > 0 ? `${told.join(", ")} and ${rest} more` : told.join(", ");
}

const MOST_NAMES = 8;

function isTls({ protocol }: ListenerDraft): boolean {
  return protocol === "https" || protocol === "tls" || protocol === "tls-passthrough";
}

function hostOf({ hostname }: ListenerDraft): string {
  return hostname ?? ANY_HOST;
}

function toPlace({ spec }: ListenerDraft, host: string): string {
  return `${spec.port} ${host}`;
}

/** The wildcards that cover all of a hostname, and ANY_HOST: `*.b.com`, `*.com` and `*` for `a.b.com`. */
function widerHosts(host: string): string[] {
  if (host === ANY_HOST) return [];
  const labels = host.replace(/^\*\./, "").split(".");
  // Of `*.b.com` as of `a.b.com`, the first label is left out: no wildcard covers what it is itself the end of.
  return [...labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join(".")}`), ANY_HOST];
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
