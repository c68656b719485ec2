/** Listeners of a Gateway or a ListenerSet, each judged by itself: protocol, kinds of routes, certificates, and where it is bound. */
import type { ListenerProtocol } from "@sallyport/model/listener";
import type { GatewayListener } from "../../kube/generated/types/gateway.ts";
import type { World, WorldObject } from "../../world/world.ts";
import { type Finding, type Flaw, hintName } from "../flaw.ts";
import type { TranslateOptions } from "../translator.ts";
import type { ListenerBind, ListenerDraft, ListenerOwner, RouteKind } from "./gateway-plan.ts";
import { GATEWAY_API } from "../grants.ts";
import { judgeTls, NO_TLS } from "./listener-tls.ts";

/** What we serve of a protocol. */
interface ProtocolSupport {
  readonly protocol: ListenerProtocol;
  readonly kinds: readonly RouteKind[];
  readonly terminatesTls: boolean;
}

const HTTP_KINDS = toKinds("HTTPRoute", "GRPCRoute");

/** Every protocol we serve; a listener of any other is not accepted. */
const PROTOCOLS: ReadonlyMap<string, ProtocolSupport> = new Map([
  ["HTTP", { protocol: "http", kinds: HTTP_KINDS, terminatesTls: false }],
  ["HTTPS", { protocol: "https", kinds: HTTP_KINDS, terminatesTls: true }],
  ["TLS", { protocol: "tls", kinds: toKinds("TLSRoute"), terminatesTls: true }],
  ["TCP", { protocol: "tcp", kinds: toKinds("TCPRoute"), terminatesTls: false }],
  ["UDP", { protocol: "udp", kinds: toKinds("UDPRoute"), terminatesTls: false }],
]);

/** TLS that is passed on as it is. */
const PASSTHROUGH: ProtocolSupport = { protocol: "tls-passthrough", kinds: toKinds("TLSRoute"), terminatesTls: false };

/** Where the listeners of a Gateway and its ListenerSets stand. */
export interface GatewayContext {
  readonly world: World;
  readonly options: TranslateOptions;
  readonly gateway: WorldObject<"Gateway">;
  /** Addresses the Gateway binds. */
  readonly addresses: readonly string[];
}

/** Where a listener stands. */
export interface ListenerContext extends GatewayContext {
  readonly owner: ListenerOwner;
}

/** Judges one listener. */
export function draftListener(context: ListenerContext, spec: GatewayListener, index: number): ListenerDraft {
  const path = `spec.listeners[${index}]`;
  const support = findSupport(spec);
  const binds = toBinds(context, spec);
  const place = { owner: context.owner, spec, path, binds };
  if (support === undefined) {
    const flaws = [toForeignProtocol(spec, path)];
    return { ...place, protocol: undefined, hostname: spec.hostname, kinds: [], ...NO_TLS, flaws };
  }
  const { kinds, flaws: kindFlaws } = selectKinds(support, spec, path);
  const tls = support.terminatesTls ? judgeTls(context, spec, path) : NO_TLS;
  return {
    ...place,
    ...tls,
    protocol: support.protocol,
    hostname: toHostname(spec, support),
    kinds,
    flaws: [...tls.flaws, ...(binds.length === 0 ? [toUnavailable(spec, path)] : [])],
    unresolved: [...tls.unresolved, ...kindFlaws],
    remarks: [...tls.remarks, ...findPassthroughRemarks(support, spec, path)],
  };
}

/** Gateway API: "All Core ProtocolType values MUST be treated case-insensitively". */
function findSupport({ protocol, tls }: GatewayListener): ProtocolSupport | undefined {
  const support = PROTOCOLS.get(protocol.toUpperCase());
  return support?.protocol === "tls" && tls?.mode === "Passthrough" ? PASSTHROUGH : support;
}

/** The API has the field ignored where the protocol knows no names. */
function toHostname({ hostname }: GatewayListener, { protocol }: ProtocolSupport): string | undefined {
  return protocol === "tcp" || protocol === "udp" ? undefined : hostname;
}

/** What configures a handshake that is not ours. */
function findPassthroughRemarks({ protocol }: ProtocolSupport, { tls }: GatewayListener, path: string): Finding[] {
  if (protocol !== "tls-passthrough" || tls === undefined) return [];
  const message = "TLS that is passed through is terminated by the backend, so this has no effect";
  const set = [
    ...((tls.certificateRefs ?? []).length > 0 ? ["certificateRefs"] : []),
    ...(Object.keys(tls.options ?? {}).length > 0 ? ["options"] : []),
  ];
  return set.map((field) => ({ code: "unsupported-value", path: `${path}.tls.${field}`, message }));
}

/** One resource for each address; the first has the plain key, so that a Gateway without addresses shows none. */
function toBinds(context: ListenerContext, spec: GatewayListener): ListenerBind[] {
  const key = toListenerKey(context, spec.name);
  const port = context.options.toBindPort(spec.port);
  if (port === undefined) return [];
  return context.addresses.map((address, index) => ({ key: index === 0 ? key : `${key}@${address}`, address, port }));
}

/**
 * `namespace/gateway/listener`, and `namespace/gateway/set-namespace/set-name/listener` where a ListenerSet has it. Slashes,
 * for the names of sets and listeners may hold dots: nothing else keeps `a.b` + `c` and `a` + `b.c` apart.
 */
function toListenerKey({ gateway, owner }: ListenerContext, name: string): string {
  const own = `${gateway.namespace}/${gateway.name}`;
  return owner.kind === "Gateway" ? `${own}/${name}` : `${own}/${owner.namespace}/${owner.name}/${name}`;
}

function toUnavailable({ port }: GatewayListener, path: string): Flaw {
  return {
    reason: "PortUnavailable",
    code: "unsupported-value",
    path: `${path}.port`,
    message: `port ${port} cannot be had: proxies have no port that they could bind for it`,
    hint: "any port below 60000 can",
  };
}

function toForeignProtocol({ protocol }: GatewayListener, path: string): Flaw {
  return {
    reason: "UnsupportedProtocol",
    code: "unsupported-value",
    path: `${path}.protocol`,
    message: `the protocol ${protocol} is not supported`,
    ...hintName(protocol, [...PROTOCOLS.keys()]),
  };
}

function selectKinds(
  support: ProtocolSupport,
  { protocol, allowedRoutes }: GatewayListener,
  path: string,
): { readonly kinds: readonly RouteKind[]; readonly flaws: readonly Flaw[] } {
  const wanted = allowedRoutes.kinds ?? [];
  if (wanted.length === 0) return { kinds: support.kinds, flaws: [] };
  const isSupported = ({ group, kind }: RouteKind): boolean =>
    support.kinds.some((supported) => supported.group === group && supported.kind === kind);
  const flaws = wanted.flatMap((kind, index): Flaw[] => {
    if (isSupported(kind)) return [];
    return [
      {
        reason: "InvalidRouteKinds",
        code: "unsupported-value",
        path: `${path}.allowedRoutes.kinds[${index}].kind`,
        message: `${kind.kind}${kind.group === GATEWAY_API ? "" : ` of ${kind.group}`} is no kind of route a listener of protocol ${protocol} carries`,
        ...hintName(
          kind.kind,
          support.kinds.map((supported) => supported.kind),
        ),
      },
    ];
  });
  return {
    kinds: support.kinds.filter((kind) =>
      wanted.some((entry) => entry.group === kind.group && entry.kind === kind.kind),
    ),
    flaws,
  };
}

function toKinds(...kinds: readonly string[]): readonly RouteKind[] {
  return kinds.map((kind) => ({ group: GATEWAY_API, kind }));
}
