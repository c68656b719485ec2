/**
 * Annotations of a Gateway that say something about all its listeners:
 *
 *     sallyport.io/proxy-protocol: 10.0.0.0/8, 192.0.2.1     peers that send a PROXY header, as addresses or CIDR blocks
 *     sallyport.io/proxy-protocol-mode: required             or optional: these peers may leave the header out
 *     sallyport.io/tcp-idle-timeout: 1h                      of TCP and TLS listeners
 *     sallyport.io/tcp-max-lifetime: 24h                     0s: no limit
 *     sallyport.io/udp-idle-timeout: 1m
 *
 * A Gateway with a mistake about the PROXY protocol is not accepted. There is nothing safe to fall back on: without the
 * setting every connection of the load balancer would fail at its header, and a policy that looks at client addresses would
 * see those of the load balancer. With a wrong timeout the Gateway is served with the default.
 */
import { DEFAULT_DATAGRAM_OPTIONS, type ProxyProtocolIn } from "@sallyport/model/listener";
import type { WorldObject } from "../../world/world.ts";
import { parseDuration } from "../duration.ts";
import { type Finding, type Flaw, hintName } from "../flaw.ts";
import { toIpVersion } from "../ip-address.ts";
import type { ListenerSettings } from "./gateway-plan.ts";

/** What the annotations come to. */
export interface GatewaySettings {
  readonly settings: ListenerSettings;
  /** Why the Gateway is not accepted. */
  readonly flaws: readonly Flaw[];
  readonly remarks: readonly Finding[];
}

const PREFIX = "sallyport.io/";
const PEERS = "sallyport.io/proxy-protocol";
const MODE = "sallyport.io/proxy-protocol-mode";
const TCP_IDLE = "sallyport.io/tcp-idle-timeout";
const TCP_LIFETIME = "sallyport.io/tcp-max-lifetime";
const UDP_IDLE = "sallyport.io/udp-idle-timeout";
const KNOWN = [PEERS, MODE, TCP_IDLE, TCP_LIFETIME, UDP_IDLE];

/** Reads the annotations of a Gateway. */
export function readGatewaySettings(gateway: WorldObject<"Gateway">): GatewaySettings {
  const annotations = gateway.object.metadata.annotations ?? {};
  const { proxyProtocol, flaws, remarks } = readProxyProtocol(annotations);
  const findings = [...remarks, ...findUnknown(annotations)];
  const read = (name: string, least: number): number | undefined => {
    const text = annotations[name];
    const duration = text === undefined ? undefined : parseDuration(text);
    if (duration !== undefined && duration >= least) return duration;
    if (text !== undefined) findings.push(toBadDuration(name, text));
    return undefined;
  };
  const idleTimeout = read(TCP_IDLE, 1);
  const maxLifetime = read(TCP_LIFETIME, 0);
  const stream = {
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
    ...(maxLifetime === undefined ? {} : { maxLifetime }),
  };
  const silence = read(UDP_IDLE, 1);
  return {
    settings: {
      ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
      ...(Object.keys(stream).length === 0 ? {} : { stream }),
      ...(silence === undefined ? {} : { datagram: { ...DEFAULT_DATAGRAM_OPTIONS, idleTimeout: silence } }),
    },
    flaws,
    remarks: findings,
  };
}

type Annotations = Readonly<Record<string, string>>;

function readProxyProtocol(annotations: Annotations): {
  readonly proxyProtocol?: ProxyProtocolIn;
  readonly flaws: readonly Flaw[];
  readonly remarks: readonly Finding[];
} {
  const { [PEERS]: peers, [MODE]: mode } = annotations;
  if (peers === undefined) return { flaws: [], remarks: mode === undefined ? [] : [toUselessMode()] };
  const trusted = [...new Set(peers.split(",").map((peer) => peer.trim()))];
  const flaws = trusted.filter((peer) => !isPeer(peer)).map(toBadPeer);
  if (mode !== undefined && mode !== "required" && mode !== "optional") flaws.push(toBadMode(mode));
  if (flaws.length > 0) return { flaws, remarks: [] };
  return { proxyProtocol: { trusted, required: mode !== "optional" }, flaws, remarks: [] };
}

/** An IP address or a CIDR block. */
function isPeer(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const version = toIpVersion(address);
  if (version === undefined || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^(0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128);
}

function toBadPeer(peer: string): Flaw {
  const message = `${JSON.stringify(peer)} is no IP address and no CIDR block, so the Gateway is not served`;
  const hint = "list the addresses your load balancer connects from, as 10.0.0.0/8, 192.0.2.1";
  return { reason: "Invalid", code: "unsupported-value", path: toPath(PEERS), message, hint };
}

function toBadMode(mode: string): Flaw {
  const message = `${JSON.stringify(mode)} is not one of its values, so the Gateway is not served`;
  return {
    reason: "Invalid",
    code: "unsupported-value",
    path: toPath(MODE),
    message,
    ...hintName(mode, ["required", "optional"]),
  };
}

function toUselessMode(): Finding {
  const message = `it has no effect without ${PEERS}`;
  return { code: "unsupported-value", path: toPath(MODE), message };
}

function toBadDuration(name: string, text: string): Finding {
  const message = `${JSON.stringify(text)} is no duration it can have, so the default holds`;
  const hint = "write durations as 1h30m, 10s or 500ms";
  return { code: "unsupported-value", path: toPath(name), message, hint };
}

function findUnknown(annotations: Annotations): Finding[] {
  const unknown = Object.keys(annotations).filter((name) => name.startsWith(PREFIX) && !KNOWN.includes(name));
  return unknown.toSorted().map((name) => ({
    code: "unsupported-value",
    path: toPath(name),
    message: `the annotation ${name} is not known for Gateways and has no effect`,
    ...hintName(name, KNOWN),
  }));
}

function toPath(name: string): string {
  return `metadata.annotations["${name}"]`;
}
