/**
 * Families of objects know nothing of each other, and yet their listeners may want the same port for the same hosts. The
 * family named first has it; what the later one loses is said, and the rest of it is served.
 */
import { type Listener, toBindKey } from "@sallyport/model/listener";
import type { Problem } from "@sallyport/model/problem";
import type { Resource } from "@sallyport/model/snapshot";
import { ANY_HOST } from "./hostname.ts";
import type { Translation } from "./translator.ts";

/** The same translations without listeners that an earlier one stands in the way of. */
export function settleFamilies(families: readonly Translation[]): Translation[] {
  const holders = new Map<string, Map<string, Listener>>();
  return families.map((family) => {
    const lost = new Map<string, Listener>();
    for (const listener of family.resources.filter((resource) => resource.kind === "listener")) {
      const holder = findHolder(holders.get(toBindKey(listener)), listener);
      if (holder !== undefined) lost.set(listener.key, holder);
    }
    for (const listener of family.resources.filter((resource) => resource.kind === "listener")) {
      if (!lost.has(listener.key)) hold(holders, listener);
    }
    return lost.size === 0 ? family : withoutListeners(family, lost);
  });
}

function hold(holders: Map<string, Map<string, Listener>>, listener: Listener): void {
  const key = toBindKey(listener);
  const byHostname = holders.get(key) ?? new Map<string, Listener>();
  holders.set(key, byHostname);
  byHostname.set(toHost(listener), listener);
}

/** The listener of an earlier family that keeps this one from its port: by hostname, or by what it is that all of a port share. */
function findHolder(byHostname: ReadonlyMap<string, Listener> | undefined, listener: Listener): Listener | undefined {
  const [any] = byHostname?.values() ?? [];
  if (any !== undefined && (speaksTls(any) !== speaksTls(listener) || toPeers(any) !== toPeers(listener))) return any;
  if (byHostname === undefined) return undefined;
  return byHostname.get(toHost(listener)) ?? findStrict(byHostname, toHost(listener));
}

/**
 * The next wider hostname, if its listener demands certificates of clients: the names below it are not for others to open
 * without.
 */
function findStrict(byHostname: ReadonlyMap<string, Listener>, host: string): Listener | undefined {
  let wider: Listener | undefined;
  for (let dot = host.indexOf("."); dot >= 0 && wider === undefined; dot = host.indexOf(".", dot + 1))
    wider = byHostname.get(`*${host.slice(dot)}`);
  wider ??= byHostname.get(ANY_HOST);
  return wider?.tls?.clientValidation === undefined ? undefined : wider;
}

/** On one port there is either TLS, of any kind, or one protocol in the clear. */
function speaksTls({ protocol }: Listener): string {
  return protocol === "https" || protocol === "tls" || protocol === "tls-passthrough" ? "tls" : protocol;
}

/** Whom a PROXY header is taken from: it comes before a connection can be told to be of one listener or another. */
function toPeers({ proxyProtocol }: Listener): string {
  return proxyProtocol === undefined ? "" : `${proxyProtocol.required} ${proxyProtocol.trusted.toSorted().join(" ")}`;
}

function toHost({ hostname = ANY_HOST }: Listener): string {
  return hostname;
}

function withoutListeners(family: Translation, lost: ReadonlyMap<string, Listener>): Translation {
  const resources: Resource[] = [];
  const problems: Problem[] = [];
  for (const resource of family.resources) {
    const holder = resource.kind === "listener" ? lost.get(resource.key) : undefined;
    if (resource.kind === "listener" && holder !== undefined) problems.push(toProblem(resource, holder));
    else if (resource.kind === "http-route" || resource.kind === "stream-route") {
      const attachments = resource.attachments.filter(({ listener }) => !lost.has(listener));
      if (attachments.length > 0) resources.push({ ...resource, attachments });
    } else resources.push(resource);
  }
  return { ...family, resources, problems: [...family.problems, ...problems] };
}

function toProblem(listener: Listener, holder: Listener): Problem {
  const hosts = toHost(listener) === ANY_HOST ? "all hosts" : toHost(listener);
  return {
    code: "conflict",
    severity: "warning",
    message: `the listener ${listener.key} is not served: port ${listener.port} for ${hosts} belongs to the listener ${holder.key}`,
    hint: `give ${holder.key} ${toWayOut(listener, holder)}, or serve the two by processes of their own`,
  };
}

function toWayOut(listener: Listener, holder: Listener): string {
  if (toPeers(holder) !== toPeers(listener)) return "another port, for PROXY headers are read before hostnames";
  if (speaksTls(holder) === speaksTls(listener) && toHost(holder) !== toHost(listener))
    return "a narrower hostname or another port, for it demands certificates of clients for all names below its own";
  return "a hostname or another port";
}
