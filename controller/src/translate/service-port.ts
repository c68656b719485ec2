/** A port of a Service as a backend: any family of routes refers to clusters this way. */
import type { Cluster } from "@sallyport/model/cluster";
import { fail, ok, type Result } from "@sallyport/model/result";
import type { ServicePort } from "../kube/generated/types/service.ts";
import type { World, WorldObject } from "../world/world.ts";
import { type Finding, hintObject } from "./flaw.ts";

/** Names a port of a Service by its number. */
export interface ServicePortRef {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** The Service and its port; `protocol` is what to speak to it. */
export interface ResolvedServicePort {
  readonly service: WorldObject<"Service">;
  readonly port: ServicePort;
  readonly protocol: Cluster["protocol"];
}

/** Why a Service port is no backend, in the words of Gateway API's ResolvedRefs. */
export interface ServicePortFlaw extends Omit<Finding, "path"> {
  readonly reason: "BackendNotFound" | "UnsupportedProtocol";
}

/** Key of the cluster that stands for a Service port. */
export function toClusterKey({ namespace, name, port }: ServicePortRef): string {
  return `${namespace}/${name}:${port}`;
}

/** The Service port a cluster key was made from, or undefined where the key was not. */
export function parseClusterKey(key: string): ServicePortRef | undefined {
  const parts = /^([^/:]+)\/([^/:]+):(\d+)$/.exec(key);
  const [, namespace, name, port] = parts ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name, port: Number(port) };
}

/** Finds the Service and its port, and how to speak to it. */
export function resolveServicePort(world: World, ref: ServicePortRef): Result<ResolvedServicePort, ServicePortFlaw> {
  const service = world.get("Service", ref.namespace, ref.name);
  if (service === undefined) return fail(toMissingService(world, ref));
  const port = findPort(service, ref.port);
  if (port === undefined) return fail(toMissingPort(service, ref.port));
  const protocol = toProtocol(port);
  return protocol === undefined ? fail(toForeignProtocol(service, port)) : ok({ service, port, protocol });
}

/** The port of that number. An ExternalName Service may leave its ports out: then it has every port. */
function findPort({ object: { spec } }: WorldObject<"Service">, number: number): ServicePort | undefined {
  const ports = (spec.ports ?? []).filter((port) => port.port === number);
  const first = ports.find((port) => port.protocol === "TCP") ?? ports[0];
  if (first !== undefined || spec.type !== "ExternalName" || (spec.ports ?? []).length > 0) return first;
  return { port: number, protocol: "TCP", targetPort: 0 };
}

/**
 * Protocols by appProtocol (KEP-3726 and IANA service names). A name that is not here is a hint we have no use for: such
 * a port is spoken to in HTTP/1.1 like one that has none. `undefined` marks what cannot be done: TLS needs a policy that
 * says whom to trust.
 */
const PROTOCOLS: ReadonlyMap<string, Cluster["protocol"] | undefined> = new Map([
  ["kubernetes.io/h2c", "h2c"],
  ["grpc", "h2c"],
  ["kubernetes.io/ws", "http1"],
  ["kubernetes.io/wss", undefined],
  ["https", undefined],
  ["tls", undefined],
]);

function toProtocol(port: ServicePort): Cluster["protocol"] | undefined {
  if (port.protocol !== "TCP") return undefined;
  const name = port.appProtocol?.toLowerCase() ?? "";
  return PROTOCOLS.has(name) ? PROTOCOLS.get(name) : "http1";
}

function toMissingService(world: World, { namespace, name }: ServicePortRef): ServicePortFlaw {
  return {
    reason: "BackendNotFound",
    code: "unresolved-reference",
    message: `there is no Service ${name} in the namespace ${namespace}`,
    ...hintObject(name, world.list("Service", namespace)),
  };
}

function toMissingPort(service: WorldObject<"Service">, number: number): ServicePortFlaw {
  const ports = (service.object.spec.ports ?? []).map((port) => port.port);
  return {
    reason: "BackendNotFound",
    code: "unresolved-reference",
    message: `the Service ${service.namespace}/${service.name} has no port ${number}`,
    ...(ports.length > 0
      ? { hint: `it has ${ports.join(", ")}; a backend names the Service's port, not the targetPort` }
      : {}),
  };
}

function toForeignProtocol(service: WorldObject<"Service">, port: ServicePort): ServicePortFlaw {
  const what = port.protocol === "TCP" ? `appProtocol ${port.appProtocol ?? ""}` : `protocol ${port.protocol}`;
  return {
    reason: "UnsupportedProtocol",
    code: "unsupported-value",
    message: `port ${port.port} of the Service ${service.namespace}/${service.name} has the ${what}, which HTTP routes cannot use`,
  };
}
