/**
 * A port of a Service as a backend: any family of routes refers to clusters this way. Keys of clusters say which port, and
 * how it is spoken to where that is not the port's own way:
 *
 *     namespace/service:port                     the port's own way
 *     namespace/service:port/udp                 its UDP port of that number
 *     …~grpc                                     HTTP/2 though the port does not say so: a GRPCRoute wants it
 *     …~passthrough                              as it comes, past the port's BackendTLSPolicy: the client brought TLS
 *     …~client=namespace/secret                  with TLS that shows this certificate
 *     …~traffic=0123456789ab                     with settings of policies that are not for the Service (traffic/variant.ts)
 */
import type { Cluster } from "@sallyport/model/cluster";
import { fail, ok, type Result } from "@sallyport/model/result";
import type { ServicePort } from "../kube/generated/types/service.ts";
import type { World, WorldObject } from "../world/world.ts";
import { type BackendTls, findBackendTls } from "./backend-tls.ts";
import { type Flaw, hintObject } from "./flaw.ts";
import { findDistrust, type ServiceTrust } from "./service-trust.ts";

/** Names a port of a Service by its number. */
export interface ServicePortRef {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** A Service port and how it is spoken to. */
export interface ClusterRef extends ServicePortRef {
  readonly transport: "tcp" | "udp";
  readonly variant?: "grpc" | "passthrough";
  /** `namespace/name` of the Secret shown to the endpoints. */
  readonly clientCertificate?: string;
  /** Stands for its settings, where they are not those of the port itself. */
  readonly settings?: string;
}

/**
 * What is sent to a backend. `stream` are the bytes of a connection, `passthrough` those of one that the client encrypted
 * for the backend, to which nothing may be added.
 */
export type Traffic = "http" | "grpc" | "stream" | "passthrough" | "datagram";

/** How a backend is spoken to. */
export interface BackendUse {
  readonly traffic: Traffic;
  /** Key of the certificate shown to backends that ask for one, or BROKEN_CERTIFICATE where there should be one. */
  readonly clientCertificate?: string;
  /** As in ClusterRef; of HTTP and calls alone. */
  readonly settings?: string;
}

/** What is sent to a Service port, and what its Service is believed. */
export interface ServicePortUse {
  readonly traffic: Traffic;
  readonly trust: ServiceTrust;
}

/** Stands for a client certificate that should be shown and cannot: backends with TLS are not spoken to without it. */
export const BROKEN_CERTIFICATE = "broken";

/** The Service and its port; `protocol` is what HTTP exchanges speak to it, `tls` how all that is sent there is protected. */
export interface ResolvedServicePort {
  readonly service: WorldObject<"Service">;
  readonly port: ServicePort;
  readonly protocol: Cluster["protocol"];
  readonly tls: BackendTls | undefined;
}

/** Why a Service port is no backend, in the words of Gateway API's ResolvedRefs. */
export type ServicePortFlaw = Omit<Flaw, "path">;

/** The key of a cluster; of a Service port alone, that of its own way. */
export function toClusterKey(ref: ServicePortRef & Partial<ClusterRef>): string {
  const { namespace, name, port, transport, variant, clientCertificate, settings } = ref;
  const place = `${namespace}/${name}:${port}${transport === "udp" ? "/udp" : ""}`;
  const way = variant === undefined ? place : `${place}~${variant}`;
  const shown = clientCertificate === undefined ? way : `${way}~client=${clientCertificate}`;
  return settings === undefined ? shown : `${shown}~traffic=${settings}`;
}

/** What a cluster key was made from, or undefined where it was made otherwise. */
export function parseClusterKey(key: string): ClusterRef | undefined {
  const { namespace, name, port, udp, passthrough, grpc, clientCertificate, settings } =
    GRAMMAR.exec(key)?.groups ?? {};
  if (namespace === undefined || name === undefined || port === undefined) return undefined;
  return {
    namespace,
    name,
    port: Number(port),
    transport: udp === undefined ? "tcp" : "udp",
    ...(passthrough === undefined ? {} : { variant: "passthrough" }),
    ...(grpc === undefined ? {} : { variant: "grpc" }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(settings === undefined ? {} : { settings }),
  };
}

/** The key of the cluster that this traffic goes to. */
export function resolveCluster(
  world: World,
  ref: ServicePortRef,
  use: BackendUse & ServicePortUse,
): Result<string, ServicePortFlaw> {
  const resolved = resolveServicePort(world, ref, use);
  if (!resolved.ok) return resolved;
  const { service, port, protocol, tls } = resolved.value;
  const { clientCertificate, settings } = use;
  const target: ClusterRef = { ...ref, transport: use.traffic === "datagram" ? "udp" : "tcp" };
  // What differs from the port's own way only where there is TLS has the plain key without.
  if (use.traffic === "passthrough") {
    return ok(toClusterKey(isEncrypted(world, service, port) ? { ...target, variant: "passthrough" } : target));
  }
  if (tls !== undefined && clientCertificate === BROKEN_CERTIFICATE) return fail(toBrokenCertificate(ref));
  return ok(
    toClusterKey({
      ...target,
      ...(use.traffic === "grpc" && protocol !== toOwnWay(port, tls) ? { variant: "grpc" } : {}),
      ...(tls === undefined || clientCertificate === undefined ? {} : { clientCertificate }),
      ...(settings === undefined ? {} : { settings }),
    }),
  );
}

/** Finds the Service and its port, and how to speak to it. */
export function resolveServicePort(
  world: World,
  ref: ServicePortRef,
  { traffic, trust }: ServicePortUse,
): Result<ResolvedServicePort, ServicePortFlaw> {
  const service = world.get("Service", ref.namespace, ref.name);
  if (service === undefined) return fail(toMissingService(world, ref));
  const distrust = findDistrust(service, trust);
  if (distrust !== undefined) return fail(distrust);
  const port = findPort(service, ref.port, traffic === "datagram" ? "UDP" : "TCP");
  if (port === undefined) return fail(toMissingPort(service, ref.port, traffic));
  const own = toOwnProtocol(port);
  if (traffic === "passthrough" || traffic === "datagram") {
    return ok({ service, port, protocol: toOwnWay(port, undefined), tls: undefined });
  }
  const tls = findBackendTls(world, service, port);
  if (!tls.ok) return tls;
  if (own.needsTls && tls.value === undefined && traffic !== "stream") return fail(toMissingPolicy(service, port));
  return ok({ service, port, protocol: traffic === "grpc" ? "http2" : toOwnWay(port, tls.value), tls: tls.value });
}

/** Which part of a reference to a Service port a flaw is about. */
export function blamePart(
  world: World,
  { namespace, name }: ServicePortRef,
  { reason }: ServicePortFlaw,
): "name" | "port" {
  const isOfService = reason === "RefNotPermitted" || world.get("Service", namespace, name) === undefined;
  return isOfService ? "name" : "port";
}

/** Names of Kubernetes objects hold none of the separators. To what a client encrypted no certificate is shown. */
const GRAMMAR =
  /^(?<namespace>[^/:~]+)\/(?<name>[^/:~]+):(?<port>[1-9]\d{0,4})(?:(?<udp>\/udp)|~(?<passthrough>passthrough)|(?<grpc>~grpc)?(?:~client=(?<clientCertificate>[^/:~]+\/[^/:~]+))?(?:~traffic=(?<settings>[0-9a-f]+))?)$/;

/** The port of a Service that traffic of a kind goes to, if it is there. */
export function findServicePort(world: World, ref: ServicePortRef, traffic: Traffic): ServicePort | undefined {
  const service = world.get("Service", ref.namespace, ref.name);
  return service && findPort(service, ref.port, traffic === "datagram" ? "UDP" : "TCP");
}

/** Whether the port has TLS of its owner's, whole or broken. */
function isEncrypted(world: World, service: WorldObject<"Service">, port: ServicePort): boolean {
  const tls = findBackendTls(world, service, port);
  return !tls.ok || tls.value !== undefined;
}

/** The port of that number. An ExternalName Service may leave its ports out: then it has every port. */
function findPort(
  { object: { spec } }: WorldObject<"Service">,
  number: number,
  protocol: "TCP" | "UDP",
): ServicePort | undefined {
  const ports = spec.ports ?? [];
  const found = ports.find((port) => port.port === number && port.protocol === protocol);
  if (found !== undefined || spec.type !== "ExternalName" || ports.length > 0) return found;
  return { port: number, protocol, targetPort: 0 };
}

interface OwnProtocol {
  /** Undefined: the port does not say. */
  readonly protocol: "http1" | "http2" | undefined;
  /** The port takes nothing in the clear. */
  readonly needsTls: boolean;
}

const UNSAID: OwnProtocol = { protocol: undefined, needsTls: false };
const HTTP2: OwnProtocol = { protocol: "http2", needsTls: false };
const ENCRYPTED: OwnProtocol = { protocol: undefined, needsTls: true };

/**
 * Protocols by appProtocol (KEP-3726, IANA service names, and what Istio calls them). A name that is not here is a hint we have no
 * use for. TLS needs a policy that says whom to trust. WebSockets are asked for in HTTP/1.1, which every server of them speaks.
 */
const PROTOCOLS: ReadonlyMap<string, OwnProtocol> = new Map([
  ["kubernetes.io/h2c", HTTP2],
  ["http2", HTTP2],
  ["grpc", HTTP2],
  ["grpc-web", HTTP2],
  ["kubernetes.io/ws", { protocol: "http1", needsTls: false }],
  ["kubernetes.io/wss", { protocol: "http1", needsTls: true }],
  ["https", ENCRYPTED],
  ["tls", ENCRYPTED],
]);

function toOwnProtocol({ appProtocol = "" }: ServicePort): OwnProtocol {
  return PROTOCOLS.get(appProtocol.toLowerCase()) ?? UNSAID;
}

/** How the port itself wants to be spoken to: one that does not say chooses in its TLS handshake, and gets HTTP/1.1 in the clear. */
function toOwnWay(port: ServicePort, tls: BackendTls | undefined): Cluster["protocol"] {
  return toOwnProtocol(port).protocol ?? (tls === undefined ? "http1" : "auto");
}

function toMissingService(world: World, { namespace, name }: ServicePortRef): ServicePortFlaw {
  return {
    reason: "BackendNotFound",
    code: "unresolved-reference",
    message: `there is no Service ${name} in the namespace ${namespace}`,
    ...hintObject(name, world.list("Service", namespace)),
  };
}

/** A port of that number may be there for another protocol. */
function toMissingPort(service: WorldObject<"Service">, number: number, traffic: Traffic): ServicePortFlaw {
  const ports = service.object.spec.ports ?? [];
  const other = ports.find(({ port }) => port === number);
  const name = `${service.namespace}/${service.name}`;
  if (other !== undefined) {
    const what = traffic === "datagram" ? "datagrams" : "connections";
    const message = `port ${number} of the Service ${name} has the protocol ${other.protocol}, which takes no ${what}`;
    return { reason: "UnsupportedProtocol", code: "unsupported-value", message };
  }
  const numbers = [...new Set(ports.map(({ port }) => port))].join(", ");
  return {
    reason: "BackendNotFound",
    code: "unresolved-reference",
    message: `the Service ${name} has no port ${number}`,
    ...(numbers === "" ? {} : { hint: `it has ${numbers}; a backend names the Service's port, not the targetPort` }),
  };
}

function toMissingPolicy({ namespace, name }: WorldObject<"Service">, port: ServicePort): ServicePortFlaw {
  return {
    reason: "UnsupportedProtocol",
    code: "unsupported-value",
    message: `port ${port.port} of the Service ${namespace}/${name} has the appProtocol ${port.appProtocol ?? ""}, and no BackendTLSPolicy says whom to trust there`,
    hint: `add a BackendTLSPolicy that targets the Service ${name}`,
  };
}

function toBrokenCertificate({ namespace, name, port }: ServicePortRef): ServicePortFlaw {
  return {
    reason: "InvalidClientCertificateRef",
    code: "invalid-certificate",
    message: `port ${port} of the Service ${namespace}/${name} is spoken to with TLS, and the certificate that the Gateway should show there is unusable`,
    hint: "see spec.tls.backend of the Gateway",
  };
}
