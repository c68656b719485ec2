/** Listeners of a Gateway, each judged by itself: protocol, kinds of routes, certificates, and where it is bound. */
import type { Listener } from "@sallyport/model/listener";
import type { GatewayListener } from "../../kube/generated/types/gateway.ts";
import type { World, WorldObject } from "../../world/world.ts";
import { type Flaw, hintName } from "../flaw.ts";
import type { TranslateOptions } from "../translator.ts";
import type { ListenerBind, ListenerDraft, RouteKind } from "./gateway-plan.ts";
import { GATEWAY_API } from "./grants.ts";
import { judgeTls, NO_TLS } from "./listener-tls.ts";

/** What we serve of a protocol. */
interface ProtocolSupport {
  readonly protocol: Listener["protocol"];
  readonly kinds: readonly RouteKind[];
  readonly terminatesTls: boolean;
}

const HTTP_ROUTE: RouteKind = { group: GATEWAY_API, kind: "HTTPRoute" };

/** Every protocol we serve; a listener of any other is not accepted. */
const PROTOCOLS: ReadonlyMap<string, ProtocolSupport> = new Map([
  ["HTTP", { protocol: "http", kinds: [HTTP_ROUTE], terminatesTls: false }],
  ["HTTPS", { protocol: "https", kinds: [HTTP_ROUTE], terminatesTls: true }],
]);

/** Where the listener stands. */
export interface ListenerContext {
  readonly world: World;
  readonly options: TranslateOptions;
  readonly gateway: WorldObject<"Gateway">;
  /** Addresses the Gateway binds. */
  readonly addresses: readonly string[];
}

/** Judges one listener. */
export function draftListener(context: ListenerContext, spec: GatewayListener, index: number): ListenerDraft {
  const path = `spec.listeners[${index}]`;
  const support = PROTOCOLS.get(spec.protocol);
  const draft = { spec, path, binds: toBinds(context, spec) };
  if (support === undefined) {
    const flaws = [toForeignProtocol(spec, path)];
    return { ...draft, protocol: undefined, kinds: [], certificates: [], flaws, unresolved: [], remarks: [] };
  }
  const { kinds, flaws: kindFlaws } = selectKinds(support, spec, path);
  const tls = support.terminatesTls ? judgeTls(context, spec, path) : NO_TLS;
  return {
    ...draft,
    protocol: support.protocol,
    kinds,
    certificates: tls.certificates,
    flaws: tls.flaws,
    unresolved: [...tls.unresolved, ...kindFlaws],
    remarks: tls.remarks,
  };
}

/** One resource for each address; the first has the plain key, so that a Gateway without addresses shows none. */
function toBinds({ gateway, options, addresses }: ListenerContext, spec: GatewayListener): ListenerBind[] {
  const key = `${gateway.namespace}/${gateway.name}/${spec.name}`;
  const port = options.portMap.get(spec.port) ?? spec.port;
  return addresses.map((address, index) => ({ key: index === 0 ? key : `${key}@${address}`, address, port }));
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
